import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.IntegerDeserializer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.serializer.DelegatingByTypeSerializer;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.util.backoff.FixedBackOff;

/** Jobs are numbers. One fails whatever is done, one is no number at all: both are published as dead. */
@Configuration
class DeadLetters implements Scenario {
    private static final int FINE = 20;
    private static final int FAILS = 13;

    @Autowired KafkaTemplate<String, String> template;
    private final AtomicInteger attempts = new AtomicInteger();
    private final List<String> dead = new CopyOnWriteArrayList<>();
    private final CountDownLatch done = new CountDownLatch(FINE - 1 + 2);

    @Bean
    NewTopic jobs() {
        return TopicBuilder.name("jobs").partitions(2).replicas(1).build();
    }

    @Bean
    NewTopic deadJobs() {
        return TopicBuilder.name("jobs-dlt").partitions(2).replicas(1).build();
    }

    @Bean
    KafkaTemplate<String, Object> deadTemplate() {
        Map<Class<?>, Serializer<?>> serializers = Map.of(Integer.class, new IntegerSerializer(), byte[].class, new ByteArraySerializer());
        Map<String, Object> properties = CommonBeans.producerProperties();
        properties.remove("value.serializer");
        var factory = new DefaultKafkaProducerFactory<String, Object>(properties);
        factory.setValueSerializer(new DelegatingByTypeSerializer(serializers));
        return new KafkaTemplate<>(factory);
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<String, Integer> jobFactory(KafkaTemplate<String, Object> deadTemplate) {
        Map<String, Object> properties = CommonBeans.consumerProperties();
        properties.remove("value.deserializer");
        var consumers = new DefaultKafkaConsumerFactory<String, Integer>(properties);
        consumers.setValueDeserializer(new ErrorHandlingDeserializer<>(new IntegerDeserializer()));
        var factory = CommonBeans.onVirtualThreads(consumers);
        factory.setCommonErrorHandler(new DefaultErrorHandler(new DeadLetterPublishingRecoverer(deadTemplate), new FixedBackOff(50, 2)));
        return factory;
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<String, byte[]> deadFactory() {
        Map<String, Object> properties = CommonBeans.consumerProperties();
        properties.put("value.deserializer", org.apache.kafka.common.serialization.ByteArrayDeserializer.class);
        return CommonBeans.onVirtualThreads(new DefaultKafkaConsumerFactory<String, byte[]>(properties));
    }

    @KafkaListener(id = "jobs", topics = "jobs", containerFactory = "jobFactory")
    void listen(ConsumerRecord<String, Integer> record) {
        if (record.value() == FAILS) {
            attempts.incrementAndGet();
            throw new IllegalStateException("never");
        }
        done.countDown();
    }

    @KafkaListener(id = "dead", topics = "jobs-dlt", containerFactory = "deadFactory")
    void dead(ConsumerRecord<String, byte[]> record) {
        String value = record.value().length == 4
            ? String.valueOf(ByteBuffer.wrap(record.value()).getInt())
            : new String(record.value(), StandardCharsets.UTF_8);
        String topic = new String(header(record, KafkaHeaders.DLT_ORIGINAL_TOPIC), StandardCharsets.UTF_8);
        int partition = ByteBuffer.wrap(header(record, KafkaHeaders.DLT_ORIGINAL_PARTITION)).getInt();
        long offset = ByteBuffer.wrap(header(record, KafkaHeaders.DLT_ORIGINAL_OFFSET)).getLong();
        dead.add(value + " of " + topic + " " + partition + " " + offset + " in " + record.partition());
        done.countDown();
    }

    private static byte[] header(ConsumerRecord<?, ?> record, String name) {
        return record.headers().lastHeader(name).value();
    }

    @Override
    public void run() throws Exception {
        Map<String, Object> properties = CommonBeans.producerProperties();
        properties.put("value.serializer", IntegerSerializer.class);
        var numbers = new KafkaTemplate<>(new DefaultKafkaProducerFactory<String, Integer>(properties));
        for (int number = 0; number < FINE; number++) numbers.send("jobs", number % 2, "k", number).get();
        template.send("jobs", 0, "k", "no number").get();
        Scenario.await(done, "jobs");
        Scenario.print("attempts", attempts.get());
        Scenario.print("dead", String.join(", ", dead.stream().sorted().toList()));
    }
}
