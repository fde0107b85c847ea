import org.apache.kafka.clients.admin.NewTopic;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;

/** Writes payments in transactions of its own, and gives every second one of these up. */
@Configuration
class Pay implements Scenario {
    private static final int AT_ONCE = 25;

    @Bean
    KafkaAdmin.NewTopics topics() {
        NewTopic payments = TopicBuilder.name("payments").partitions(3).replicas(1).build();
        NewTopic ledger = TopicBuilder.name("ledger").partitions(3).replicas(1).build();
        return new KafkaAdmin.NewTopics(payments, ledger);
    }

    @Override
    public void run() {
        int count = Integer.parseInt(System.getProperty("argument"));
        var factory = new DefaultKafkaProducerFactory<String, String>(CommonBeans.producerProperties());
        factory.setTransactionIdPrefix("pay-");
        var template = new KafkaTemplate<>(factory);
        for (int from = 0; from < count; from += AT_ONCE) {
            send(template, from, false);
            try {
                send(template, from, true);
            } catch (IllegalStateException givenUp) {
                continue;
            }
            throw new AssertionError("a transaction that failed was not given up");
        }
        factory.destroy();
    }

    private static void send(KafkaTemplate<String, String> template, int from, boolean fails) {
        template.executeInTransaction(operations -> {
            for (int number = from; number < from + AT_ONCE; number++)
                operations.send("payments", "key" + number % 7, String.valueOf(fails ? -1 - number : number));
            if (fails) throw new IllegalStateException("given up");
            return true;
        });
    }
}
