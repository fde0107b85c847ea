import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.util.backoff.FixedBackOff;

/** A listener of whole batches; one of them fails in its middle and comes again from there. */
@Configuration
class Batches implements Scenario {
    private static final int COUNT = 1000;
    private static final int LARGEST = 100;
    private static final String FAILS_ONCE = "555";

    @Autowired KafkaTemplate<String, String> template;
    @Autowired KafkaListenerEndpointRegistry registry;
    private final Map<String, Integer> processed = new ConcurrentHashMap<>();
    private final AtomicInteger batches = new AtomicInteger();
    private final AtomicInteger largest = new AtomicInteger();
    private final AtomicBoolean hasFailed = new AtomicBoolean();
    private final CountDownLatch done = new CountDownLatch(COUNT);

    @Bean
    NewTopic lines() {
        return TopicBuilder.name("lines").partitions(3).replicas(1).build();
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<String, String> batchFactory(ConsumerFactory<String, String> consumerFactory) {
        var factory = CommonBeans.onVirtualThreads(consumerFactory);
        factory.setBatchListener(true);
        factory.setCommonErrorHandler(new DefaultErrorHandler(new FixedBackOff(0, 3)));
        factory.getContainerProperties().setAckMode(AckMode.MANUAL);
        return factory;
    }

    @KafkaListener(id = "batches", topics = "lines", containerFactory = "batchFactory", properties = "max.poll.records=100")
    void listen(List<ConsumerRecord<String, String>> records, Acknowledgment acknowledgment) {
        batches.incrementAndGet();
        largest.accumulateAndGet(records.size(), Math::max);
        for (ConsumerRecord<String, String> record : records) {
            if (record.value().equals(FAILS_ONCE) && hasFailed.compareAndSet(false, true))
                throw new BatchListenerFailedException("once", record);
            processed.merge(record.value(), 1, Integer::sum);
            done.countDown();
        }
        acknowledgment.acknowledge();
    }

    @Override
    public void run() throws Exception {
        for (int number = 0; number < COUNT; number++) template.send("lines", "key" + number % 50, String.valueOf(number));
        Scenario.await(done, "records");
        registry.stop();
        Scenario.print("values", processed.size());
        Scenario.print("processed", processed.values().stream().mapToInt(Integer::intValue).sum());
        Scenario.print("has failed", hasFailed.get());
        Scenario.print("batches hold more than one", batches.get() < COUNT);
        Scenario.print("batches keep to the limit", largest.get() <= LARGEST);
    }
}
