import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/** Six listeners in one group, each on a virtual thread that blocks now and then. */
@Configuration
class VirtualThreads implements Scenario {
    private static final int COUNT = 600;
    private static final int PARTITIONS = 6;
    private static final String TOPIC = "numbers-" + System.getProperty("argument");
    private static final String GROUP = "virtual-" + System.getProperty("argument");

    @Autowired KafkaTemplate<String, String> template;
    @Autowired KafkaListenerEndpointRegistry registry;
    private final Set<String> values = ConcurrentHashMap.newKeySet();
    private final Set<Long> threads = ConcurrentHashMap.newKeySet();
    private final Map<Boolean, Integer> kinds = new ConcurrentHashMap<>();
    private final CountDownLatch received = new CountDownLatch(COUNT);

    @Bean
    NewTopic numbers() {
        return TopicBuilder.name(TOPIC).partitions(PARTITIONS).replicas(1).build();
    }

    @KafkaListener(id = "virtual", groupId = "virtual-${argument}", topics = "numbers-${argument}", concurrency = "6",
        properties = "group.protocol=${argument}")
    void listen(ConsumerRecord<String, String> record) throws InterruptedException {
        Thread.sleep(1);
        values.add(record.value());
        threads.add(Thread.currentThread().threadId());
        kinds.merge(Thread.currentThread().isVirtual(), 1, Integer::sum);
        received.countDown();
    }

    @Override
    public void run() throws Exception {
        awaitShared();
        for (int number = 0; number < COUNT; number++) template.send(TOPIC, number % PARTITIONS, "k", String.valueOf(number));
        Scenario.await(received, "records");
        // Containers commit what was processed when they stop.
        registry.stop();
        Scenario.print("values", values.size());
        Scenario.print("deliveries on virtual threads", kinds.getOrDefault(true, 0));
        Scenario.print("deliveries on others", kinds.getOrDefault(false, 0));
        Scenario.print("threads", threads.size());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", System.getProperty("bootstrap")))) {
            long committed = admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get()
                .values().stream().mapToLong(offset -> offset.offset()).sum();
            Scenario.print("committed", committed);
            Scenario.print("type", admin.describeConsumerGroups(Set.of(GROUP)).all().get().get(GROUP).type());
        }
    }

    /** Every listener has a partition. */
    private void awaitShared() throws InterruptedException {
        var container = (ConcurrentMessageListenerContainer<?, ?>) registry.getListenerContainer("virtual");
        long deadline = System.currentTimeMillis() + LIMIT_SECONDS * 1000;
        while (!container.getContainers().stream().allMatch(one -> one.getAssignedPartitions().size() == 1)) {
            if (System.currentTimeMillis() > deadline)
                throw new IllegalStateException("assigned: " + container.getAssignmentsByClientId());
            Thread.sleep(20);
        }
    }
}
