import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * Compacts a partition directory with Kafka's own cleaner.
 * Arguments: directory, where to copy the segments after each round, map bytes, then a topic config
 * `name=value` or a round `firstDirtyOffset:upperBoundOffset:nowMs` each. Prints the end offset of each round.
 */
public class CleanLog {
    public static void main(String[] args) throws Exception {
        File directory = new File(args[0]);
        Path copies = Path.of(args[1]);
        int mapBytes = Integer.parseInt(args[2]);
        Map<String, String> configs = new java.util.HashMap<>();
        List<String> rounds = new java.util.ArrayList<>();
        for (String argument : List.of(args).subList(3, args.length)) {
            String[] parts = argument.split("=");
            if (parts.length == 2) configs.put(parts[0], parts[1]);
            else rounds.add(argument);
        }
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        UnifiedLog log = UnifiedLog.create(directory, new LogConfig(configs), 0L, 0L, scheduler,
            new BrokerTopicStats(), Time.SYSTEM, 900_000, new ProducerStateManagerConfig(86_400_000, false),
            600_000, new LogDirFailureChannel(1), true, Optional.empty());
        log.updateHighWatermark(log.logEndOffset());
        int number = 0;
        for (String round : rounds) {
            String[] parts = round.split(":");
            LogToClean target = new LogToClean(log, Long.parseLong(parts[0]), Long.parseLong(parts[1]), false);
            Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(mapBytes), 65536, 65536, 0.9,
                new Throttler(Double.MAX_VALUE, 300, "cleaner-io", "bytes", Time.SYSTEM), Time.SYSTEM, partition -> { });
            System.out.println(cleaner.doClean(target, Long.parseLong(parts[2])).getKey());
            Path copy = Files.createDirectories(copies.resolve(String.valueOf(number++)));
            for (File file : directory.listFiles((parent, name) -> name.endsWith(".log") || name.endsWith(".txnindex")))
                if (file.length() > 0)
                    Files.copy(file.toPath(), copy.resolve(file.getName()), StandardCopyOption.REPLACE_EXISTING);
        }
        log.close();
        scheduler.shutdown();
    }
}
