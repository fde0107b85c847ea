import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.DefaultAfterRollbackProcessor;
import org.springframework.kafka.transaction.KafkaTransactionManager;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Reads payments and writes each to the ledger, in transactions of the container. Now and then it
 * fails after it has written. It goes on until somebody ends it.
 */
@Configuration
class Transfer implements Scenario {
    private static final int FAILS_EVERY = 20;

    @Autowired @Qualifier("transactional") KafkaTemplate<String, String> template;
    private final Set<String> failed = ConcurrentHashMap.newKeySet();
    private final AtomicInteger processed = new AtomicInteger();

    @Bean
    ProducerFactory<String, String> transactionalFactory() {
        Map<String, Object> properties = CommonBeans.producerProperties();
        properties.put("transaction.timeout.ms", 10_000);
        var factory = new DefaultKafkaProducerFactory<String, String>(properties);
        factory.setTransactionIdPrefix("transfer-");
        return factory;
    }

    @Bean
    KafkaTemplate<String, String> transactional(@Qualifier("transactionalFactory") ProducerFactory<String, String> transactionalFactory) {
        return new KafkaTemplate<>(transactionalFactory);
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<String, String> transferFactory(ConsumerFactory<String, String> consumerFactory,
            @Qualifier("transactionalFactory") ProducerFactory<String, String> transactionalFactory) {
        var factory = CommonBeans.onVirtualThreads(consumerFactory);
        var transactions = new KafkaTransactionManager<>(transactionalFactory);
        factory.getContainerProperties().setKafkaAwareTransactionManager(transactions);
        factory.setAfterRollbackProcessor(new DefaultAfterRollbackProcessor<>(new FixedBackOff(0, FixedBackOff.UNLIMITED_ATTEMPTS)));
        return factory;
    }

    @KafkaListener(id = "transfer", topics = "payments", containerFactory = "transferFactory", concurrency = "3",
        properties = {"session.timeout.ms=3000", "heartbeat.interval.ms=500", "max.poll.records=10"})
    void listen(ConsumerRecord<String, String> record) throws InterruptedException {
        template.send("ledger", record.key(), record.value());
        Thread.sleep(1);
        if (Integer.parseInt(record.value()) % FAILS_EVERY == 0 && failed.add(record.value()))
            throw new IllegalStateException("once, for " + record.value());
        Scenario.print("processed", processed.incrementAndGet());
    }

    @Override
    public void run() throws Exception {
        new CountDownLatch(1).await();
    }
}
