import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * What the tests of spring-kafka do in a JVM. The first argument is the bootstrap address, then:
 *   virtual classic|consumer   listener containers on virtual threads
 *   batches                    a batch listener with acknowledgements of its own
 *   pay COUNT                  writes what transfer reads
 *   transfer                   read, process, write in transactions, until it is ended
 *   check COUNT                what is in the topic that transfer writes, when COUNT are committed
 *   retries                    retry topics and their dead-letter topic
 *   dead                       an error handler that publishes what it gives up
 * All but transfer print lines of a name and a value with a tab between, and end.
 */
public class SpringApp {
    public static void main(String[] args) throws Exception {
        System.setProperty("bootstrap", args[0]);
        System.setProperty("argument", args.length > 2 ? args[2] : "");
        Class<? extends Scenario> scenario = switch (args[1]) {
            case "virtual" -> VirtualThreads.class;
            case "batches" -> Batches.class;
            case "pay" -> Pay.class;
            case "transfer" -> Transfer.class;
            case "check" -> CheckTransfer.class;
            case "retries" -> RetryTopics.class;
            case "dead" -> DeadLetters.class;
            default -> throw new IllegalArgumentException(args[1]);
        };
        try (var context = new AnnotationConfigApplicationContext(CommonBeans.class, scenario)) {
            context.getBean(scenario).run();
        }
    }
}
