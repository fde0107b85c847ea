import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

/** What every scenario uses, as an application without Spring Boot sets it up. */
@Configuration
@EnableKafka
class CommonBeans {
    static Map<String, Object> consumerProperties() {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", System.getProperty("bootstrap"));
        properties.put("key.deserializer", StringDeserializer.class);
        properties.put("value.deserializer", StringDeserializer.class);
        properties.put("auto.offset.reset", "earliest");
        properties.put("isolation.level", "read_committed");
        return properties;
    }

    static Map<String, Object> producerProperties() {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", System.getProperty("bootstrap"));
        properties.put("key.serializer", StringSerializer.class);
        properties.put("value.serializer", StringSerializer.class);
        properties.put("acks", "all");
        return properties;
    }

    @Bean
    KafkaAdmin kafkaAdmin() {
        KafkaAdmin admin = new KafkaAdmin(Map.of("bootstrap.servers", System.getProperty("bootstrap")));
        admin.setFatalIfBrokerNotAvailable(true);
        return admin;
    }

    @Bean
    ConsumerFactory<String, String> consumerFactory() {
        return new DefaultKafkaConsumerFactory<>(consumerProperties());
    }

    @Bean
    @Primary
    ProducerFactory<String, String> producerFactory() {
        return new DefaultKafkaProducerFactory<>(producerProperties());
    }

    @Bean
    @Primary
    KafkaTemplate<String, String> kafkaTemplate(ProducerFactory<String, String> producerFactory) {
        return new KafkaTemplate<>(producerFactory);
    }

    /** Every listener has a virtual thread of its own. */
    @Bean
    ConcurrentKafkaListenerContainerFactory<String, String> kafkaListenerContainerFactory(
            ConsumerFactory<String, String> consumerFactory) {
        return onVirtualThreads(consumerFactory);
    }

    static <V> ConcurrentKafkaListenerContainerFactory<String, V> onVirtualThreads(ConsumerFactory<String, V> consumerFactory) {
        SimpleAsyncTaskExecutor executor = new SimpleAsyncTaskExecutor("listener-");
        executor.setVirtualThreads(true);
        ConcurrentKafkaListenerContainerFactory<String, V> factory = new ConcurrentKafkaListenerContainerFactory<>();
        factory.setConsumerFactory(consumerFactory);
        factory.getContainerProperties().setListenerTaskExecutor(executor);
        return factory;
    }
}
