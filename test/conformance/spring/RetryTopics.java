import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.EnableKafkaRetryTopic;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.retrytopic.TopicSuffixingStrategy;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/** Orders that fail go through topics that wait, and end in one for the dead. */
@Configuration
@EnableKafkaRetryTopic
class RetryTopics implements Scenario {
    private static final int FINE = 20;

    @Autowired KafkaTemplate<String, String> template;
    private final List<String> flaky = new CopyOnWriteArrayList<>();
    private final List<String> poison = new CopyOnWriteArrayList<>();
    private final List<Long> poisonTimes = new CopyOnWriteArrayList<>();
    private final List<String> dead = new CopyOnWriteArrayList<>();
    private final CountDownLatch done = new CountDownLatch(FINE + 2);

    @Bean
    NewTopic orders() {
        return TopicBuilder.name("orders").partitions(2).replicas(1).build();
    }

    @Bean
    ThreadPoolTaskScheduler scheduler() {
        return new ThreadPoolTaskScheduler();
    }

    @RetryableTopic(attempts = "4", backOff = @BackOff(delay = 200, multiplier = 2), numPartitions = "2",
        topicSuffixingStrategy = TopicSuffixingStrategy.SUFFIX_WITH_INDEX_VALUE)
    @KafkaListener(id = "orders", topics = "orders")
    void listen(ConsumerRecord<String, String> record) {
        switch (record.value()) {
            case "flaky" -> {
                flaky.add(record.topic());
                if (flaky.size() < 3) throw new IllegalStateException("not yet");
                done.countDown();
            }
            case "poison" -> {
                poison.add(record.topic());
                poisonTimes.add(System.currentTimeMillis());
                throw new IllegalArgumentException("never");
            }
            default -> done.countDown();
        }
    }

    @DltHandler
    void dead(ConsumerRecord<String, String> record) {
        dead.add(String.join(" ", record.topic(), record.value(), text(record, KafkaHeaders.ORIGINAL_TOPIC),
            text(record, KafkaHeaders.EXCEPTION_CAUSE_FQCN)));
        done.countDown();
    }

    private static String text(ConsumerRecord<String, String> record, String header) {
        return new String(record.headers().lastHeader(header).value(), StandardCharsets.UTF_8);
    }

    @Override
    public void run() throws Exception {
        template.send("orders", "b", "flaky");
        template.send("orders", "a", "poison");
        for (int number = 0; number < FINE; number++) template.send("orders", "k" + number, "fine");
        Scenario.await(done, "orders");
        Scenario.print("flaky", String.join(" ", flaky));
        Scenario.print("poison", String.join(" ", poison));
        Scenario.print("waits", poisonTimes.get(1) - poisonTimes.get(0) >= 200 && poisonTimes.get(2) - poisonTimes.get(1) >= 400
            && poisonTimes.get(3) - poisonTimes.get(2) >= 800);
        Scenario.print("dead", String.join(", ", dead));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", System.getProperty("bootstrap")))) {
            var names = new TreeSet<>(admin.listTopics().names().get());
            names.removeIf(name -> !name.startsWith("orders"));
            Scenario.print("topics", String.join(" ", names));
        }
    }
}
