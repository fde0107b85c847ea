package kafka.api;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;

import kafka.cluster.Partition;
import kafka.server.KafkaBroker;
import kafka.server.KafkaConfig;
import kafka.server.ReplicaManager;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.provider.Arguments;
import org.mockito.Mockito;
import org.opentest4j.TestAbortedException;
import scala.Function0;
import scala.Option;
import scala.collection.immutable.Map$;
import scala.collection.mutable.Buffer;
import scala.jdk.javaapi.CollectionConverters;
import spool.conformance.ForeignCluster;

/**
 * Stands on the class path before the class of this name in Kafka's core tests. Where that one starts a cluster
 * inside the JVM, this one hands the test the broker of another process, emptied first. Topics get one replica; a
 * test that kills the broker finds it frozen; one that reaches for objects of the broker is aborted.
 */
public abstract class IntegrationTestHarness {
    private final ForeignCluster cluster = new ForeignCluster(null);
    private final List<Admin> admins = new ArrayList<>();
    private final Buffer<KafkaBroker> brokers = CollectionConverters.asScala(new ArrayList<>(List.of(brokerFromAfar())));
    private GroupProtocol groupProtocol = GroupProtocol.CLASSIC;
    private boolean isFrozen;

    public abstract int brokerCount();

    public static Stream<Arguments> getTestGroupProtocolParametersAll() {
        return Stream.of(Arguments.of("classic"), Arguments.of("consumer"));
    }

    public static Stream<Arguments> getTestGroupProtocolParametersClassicGroupProtocolOnly() {
        return Stream.of(Arguments.of("classic"));
    }

    public static Stream<Arguments> getTestGroupProtocolParametersConsumerGroupProtocolOnly() {
        return Stream.of(Arguments.of("consumer"));
    }

    public void setUp(TestInfo info) throws Exception {
        // As in Kafka, only the name that JUnit shows tells the parameter.
        if (info.getDisplayName().contains("consumer")) groupProtocol = GroupProtocol.CONSUMER;
        cluster.empty();
    }

    public void tearDown() throws Exception {
        restartDeadBrokers(false);
        for (Admin admin : admins) admin.close();
        cluster.close();
    }

    public GroupProtocol groupProtocolFromTestParameters() {
        return groupProtocol;
    }

    public Buffer<KafkaBroker> brokers() {
        return brokers;
    }

    public scala.collection.immutable.Map<Object, Object> createTopic(String topic, int partitions, int replicas,
            Properties configs, ListenerName listener, Properties adminConfigs) throws InterruptedException {
        Map<String, String> kept = new HashMap<>();
        for (String name : configs.stringPropertyNames()) kept.put(name, configs.getProperty(name));
        kept.remove("min.insync.replicas");
        cluster.createTopic(topic, partitions, (short) 1, kept);
        scala.collection.immutable.Map<Object, Object> leaders = Map$.MODULE$.empty();
        for (int partition = 0; partition < partitions; partition++) leaders = leaders.updated(partition, 1);
        return leaders;
    }

    public ListenerName createTopic$default$5() {
        return listener();
    }

    public Properties createTopic$default$6() {
        return new Properties();
    }

    public String bootstrapServers(ListenerName listener) {
        return cluster.bootstrapServers();
    }

    public ListenerName bootstrapServers$default$1() {
        return listener();
    }

    public Admin createAdminClient(ListenerName listener, Properties configs) {
        Properties all = new Properties();
        all.putAll(configs);
        all.put("bootstrap.servers", cluster.bootstrapServers());
        Admin admin = Admin.create(all);
        admins.add(admin);
        return admin;
    }

    public ListenerName createAdminClient$default$1() {
        return listener();
    }

    public Properties createAdminClient$default$2() {
        return new Properties();
    }

    /** There is one broker, and it answers nothing until it is restarted. */
    public void killBroker(int index) throws Exception {
        signal("STOP");
        isFrozen = true;
    }

    public void restartDeadBrokers(boolean reconfigure) throws Exception {
        if (isFrozen) signal("CONT");
        isFrozen = false;
    }

    public boolean restartDeadBrokers$default$1() {
        return false;
    }

    public void trace(Function0<String> text) { }

    public void debug(Function0<String> text) { }

    public void error(Function0<String> text) { }

    private static ListenerName listener() {
        return ListenerName.normalised("PLAINTEXT");
    }

    private static void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, System.getProperty("spool.pid")).inheritIO().start();
        if (kill.waitFor() != 0) throw new IllegalStateException("cannot send " + name + " to the broker");
    }

    /** Every partition is led here; where its log starts can be asked from afar, and nothing else of it. */
    private ReplicaManager replicasFromAfar() {
        Partition led = Mockito.mock(Partition.class, asked -> {
            if (!asked.getMethod().getName().equals("leaderLogIfLocal")) throw outOfReach(asked.getMethod().getName());
            return Option.apply("the log");
        });
        return Mockito.mock(ReplicaManager.class, asked -> {
            if (asked.getMethod().getName().equals("onlinePartition")) return Option.apply(led);
            if (!asked.getMethod().getName().equals("localLog")) throw outOfReach(asked.getMethod().getName());
            TopicPartition partition = asked.getArgument(0);
            Admin admin = createAdminClient(listener(), new Properties());
            long start = admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset();
            return Option.apply(Mockito.mock(UnifiedLog.class, question -> {
                if (question.getMethod().getName().equals("logStartOffset")) return start;
                throw outOfReach(question.getMethod().getName());
            }));
        });
    }

    private static TestAbortedException outOfReach(String what) {
        return new TestAbortedException("needs " + what + " of a broker in the same JVM");
    }

    /** Tells where it listens, and what can be asked over the network. */
    private KafkaBroker brokerFromAfar() {
        ReplicaManager replicas = replicasFromAfar();
        String address = System.getProperty("spool.bootstrap");
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        // Tests take the id for its place in the list of brokers.
        Map<String, String> properties = Map.of("process.roles", "broker", "node.id", "0",
            "controller.quorum.voters", "9@127.0.0.1:1", "controller.listener.names", "CONTROLLER",
            "listeners", "PLAINTEXT://" + address, "advertised.listeners", "PLAINTEXT://" + address);
        KafkaConfig config = new KafkaConfig(properties);
        ClassLoader loader = IntegrationTestHarness.class.getClassLoader();
        return (KafkaBroker) Proxy.newProxyInstance(loader, new Class<?>[] {KafkaBroker.class}, (self, method, arguments) ->
            switch (method.getName()) {
                case "boundPort" -> port;
                case "config" -> config;
                case "replicaManager" -> replicas;
                case "toString" -> "broker at " + address;
                case "hashCode" -> 1;
                case "equals" -> self == arguments[0];
                default -> throw outOfReach(method.getName());
            });
    }
}
