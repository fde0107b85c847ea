import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;

/** Reads what Transfer left, with both isolation levels, when all is committed. */
@Configuration
class CheckTransfer implements Scenario {
    @Override
    public void run() throws Exception {
        int count = Integer.parseInt(System.getProperty("argument"));
        List<String> committed = read("read_committed", count);
        long distinct = committed.stream().distinct().count();
        Scenario.print("committed", committed.size());
        Scenario.print("distinct", distinct);
        Scenario.print("has aborted ones", read("read_uncommitted", count).size() > count);
        // Behind the last record there are only ones that were given up, and markers.
        Scenario.print("left over", leftOver());
    }

    /** Committed payments behind the offsets of the group. */
    private static int leftOver() throws Exception {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", System.getProperty("bootstrap")))) {
            admin.listConsumerGroupOffsets("transfer").partitionsToOffsetAndMetadata().get()
                .forEach((partition, committed) -> offsets.put(partition, committed.offset()));
        }
        try (Consumer<String, String> consumer = consumer("read_committed")) {
            consumer.assign(offsets.keySet());
            offsets.forEach(consumer::seek);
            int count = 0;
            while (!isAtEnd(consumer, List.copyOf(offsets.keySet()))) count += consumer.poll(Duration.ofMillis(100)).count();
            return count;
        }
    }

    private static Consumer<String, String> consumer(String isolation) {
        Map<String, Object> properties = CommonBeans.consumerProperties();
        properties.put("isolation.level", isolation);
        return new DefaultKafkaConsumerFactory<String, String>(properties).createConsumer();
    }

    private static List<String> read(String isolation, int wanted) {
        List<String> values = new ArrayList<>();
        try (Consumer<String, String> consumer = consumer(isolation)) {
            List<TopicPartition> partitions = consumer.partitionsFor("ledger").stream()
                .map(info -> new TopicPartition(info.topic(), info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.currentTimeMillis() + LIMIT_SECONDS * 1000;
            while (values.size() < wanted || !isAtEnd(consumer, partitions)) {
                if (System.currentTimeMillis() > deadline)
                    throw new IllegalStateException("the ledger has " + values.size() + " of " + wanted);
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) values.add(record.value());
            }
        }
        return values;
    }

    private static boolean isAtEnd(Consumer<String, String> consumer, List<TopicPartition> partitions) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        return partitions.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
    }
}
