import java.io.File;
import java.util.Map;
import java.util.Optional;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * Compacts partition directories one after the other with Kafka's own cleaner, and prints the seconds
 * and the CPU seconds of the last; those before it warm up the virtual machine.
 * Arguments: bytes of the offset map, of a buffer, of a segment; the directories.
 */
public class TimeCleaner {
    public static void main(String[] args) throws Exception {
        int bufferBytes = Integer.parseInt(args[1]);
        // As in a broker, the cleaner lives on, and with it its map and buffers.
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(Integer.parseInt(args[0])), bufferBytes, bufferBytes, 0.9,
            new Throttler(Double.MAX_VALUE, 300, "cleaner-io", "bytes", Time.SYSTEM), Time.SYSTEM, partition -> { });
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        LogConfig config = new LogConfig(Map.of("cleanup.policy", "compact", "segment.bytes", args[2]));
        String figures = "";
        for (int i = 3; i < args.length; i++) {
            UnifiedLog log = UnifiedLog.create(new File(args[i]), config, 0L, 0L, scheduler, new BrokerTopicStats(),
                Time.SYSTEM, 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
                new LogDirFailureChannel(1), true, Optional.empty());
            log.updateHighWatermark(log.logEndOffset());
            long bytes = log.size();
            long upperBound = log.activeSegment().baseOffset();
            long cpu = system.getProcessCpuTime();
            long startedAt = System.nanoTime();
            cleaner.doClean(new LogToClean(log, 0, upperBound, true), System.currentTimeMillis());
            double seconds = (System.nanoTime() - startedAt) / 1e9;
            double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
            figures = "{\"bytes\":" + bytes + ",\"seconds\":" + seconds + ",\"cpuSeconds\":" + cpuSeconds + "}";
            log.close();
        }
        System.out.println(figures);
        scheduler.shutdown();
    }
}
