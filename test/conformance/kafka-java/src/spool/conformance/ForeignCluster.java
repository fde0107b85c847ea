package spool.conformance;

import java.lang.reflect.Proxy;
import java.util.AbstractMap;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.test.ClusterInstance;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.common.test.api.Type;
import org.apache.kafka.metadata.MetadataCache;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.fault.FaultHandlerException;
import org.opentest4j.TestAbortedException;

import kafka.server.ControllerServer;
import kafka.server.KafkaBroker;

/**
 * A broker of another process, seen through the interface of Kafka's test library. What can be done over
 * the network is done with the admin client; a test that reaches for objects of the broker is aborted.
 */
public final class ForeignCluster implements ClusterInstance {
    private static final long CALL_SECONDS = 20;
    private static final long SETTLE_MS = 30_000;
    private static final long LOOK_EVERY_MS = 50;

    private final ClusterConfig config;
    private Admin admin;

    public ForeignCluster(ClusterConfig config) {
        this.config = config;
    }

    private synchronized Admin ownAdmin() {
        if (admin == null) {
            admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers(),
                "default.api.timeout.ms", "20000", "request.timeout.ms", "15000"));
        }
        return admin;
    }

    /** Closes the admin client; the broker itself lives on for the next test. */
    public synchronized void close() {
        if (admin != null) admin.close();
        admin = null;
    }

    /** Deletes all topics that are not internal, the configs of groups, and every group without members. */
    public void empty() throws Exception {
        Set<String> topics = userTopics();
        if (!topics.isEmpty()) ownAdmin().deleteTopics(topics).all().get(CALL_SECONDS, TimeUnit.SECONDS);
        for (GroupListing group : ownAdmin().listGroups().all().get(CALL_SECONDS, TimeUnit.SECONDS)) {
            List<String> ids = List.of(group.groupId());
            boolean isShare = group.type().filter(type -> type == GroupType.SHARE).isPresent();
            if (isShare) Stragglers.removeShareMembers(ownAdmin(), group.groupId(), brokerBoundPorts().get(0));
            else Stragglers.remove(ownAdmin(), group.groupId(), brokerBoundPorts().get(0));
            try {
                (isShare ? ownAdmin().deleteShareGroups(ids).all() : ownAdmin().deleteConsumerGroups(ids).all())
                    .get(CALL_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                // A member of an earlier test counts as alive until its session ends. Tests use own group names.
                if (!(e.getCause() instanceof GroupNotEmptyException)) System.out.println("group stays: " + e.getCause());
            }
        }
        removeGroupConfigs();
        long end = System.currentTimeMillis() + SETTLE_MS;
        while (!userTopics().isEmpty() && System.currentTimeMillis() < end) Thread.sleep(LOOK_EVERY_MS);
    }

    private void removeGroupConfigs() throws Exception {
        Collection<ConfigResource> groups = ownAdmin()
            .listConfigResources(Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions())
            .all().get(CALL_SECONDS, TimeUnit.SECONDS);
        if (groups.isEmpty()) return;
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        ownAdmin().describeConfigs(groups).all().get(CALL_SECONDS, TimeUnit.SECONDS).forEach((group, configs) ->
            changes.put(group, configs.entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_GROUP_CONFIG)
                .map(entry -> new AlterConfigOp(entry, AlterConfigOp.OpType.DELETE))
                .toList()));
        ownAdmin().incrementalAlterConfigs(changes).all().get(CALL_SECONDS, TimeUnit.SECONDS);
    }

    private Set<String> userTopics() throws Exception {
        Set<String> names = new HashSet<>(ownAdmin().listTopics().names().get(CALL_SECONDS, TimeUnit.SECONDS));
        names.removeIf(name -> name.startsWith("__"));
        return names;
    }

    private static RuntimeException outOfReach(String what) {
        return new TestAbortedException("needs " + what + " of a cluster in the same JVM");
    }

    @Override
    public void createTopic(String topic, int partitions, short replicas) throws InterruptedException {
        createTopic(topic, partitions, replicas, Map.of());
    }

    @Override
    public void createTopic(String topic, int partitions, short replicas, Map<String, String> configs)
            throws InterruptedException {
        NewTopic wanted = new NewTopic(topic, partitions, (short) 1).configs(configs);
        try {
            ownAdmin().createTopics(List.of(wanted)).all().get(CALL_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // Kafka's own library does not look at the answer either; some tests create a topic twice.
            if (!(e.getCause() instanceof TopicExistsException)) throw new IllegalStateException(e);
            if (topic.startsWith("__")) return;
        }
        waitTopicCreation(topic, partitions);
    }

    @Override
    public void createTopicWithAssignment(String topic, Map<Integer, List<Integer>> assignment) {
        throw outOfReach("several brokers");
    }

    @Override
    public void deleteTopic(String topic) throws InterruptedException, ExecutionException {
        ownAdmin().deleteTopics(List.of(topic)).all().get();
        waitTopicDeletion(topic);
    }

    @Override
    public void waitTopicCreation(String topic, int partitions) throws InterruptedException {
        waitForPartitions(topic, partitions);
    }

    @Override
    public void waitTopicDeletion(String topic) throws InterruptedException {
        waitForPartitions(topic, 0);
    }

    private void waitForPartitions(String topic, int partitions) throws InterruptedException {
        long end = System.currentTimeMillis() + SETTLE_MS;
        Object last = "nothing";
        while (System.currentTimeMillis() < end) {
            try {
                TopicDescription found = ownAdmin().describeTopics(List.of(topic)).allTopicNames()
                    .get(CALL_SECONDS, TimeUnit.SECONDS).get(topic);
                last = found;
                boolean isLed = found.partitions().stream().allMatch(p -> p.leader() != null && !p.leader().isEmpty());
                if (found.partitions().size() == partitions && isLed) return;
            } catch (ExecutionException | TimeoutException e) {
                last = e;
                if (partitions == 0 && e.getCause() instanceof UnknownTopicOrPartitionException) return;
            }
            Thread.sleep(LOOK_EVERY_MS);
        }
        throw new AssertionError("topic " + topic + " did not come to " + partitions + " partitions: " + last);
    }

    @Override
    public Set<Integer> brokerIds() {
        try {
            Set<Integer> ids = new HashSet<>();
            for (Node node : ownAdmin().describeCluster().nodes().get(CALL_SECONDS, TimeUnit.SECONDS)) ids.add(node.id());
            return ids;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String clusterId() {
        try {
            return ownAdmin().describeCluster().clusterId().get(CALL_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public List<Integer> brokerBoundPorts() {
        String address = bootstrapServers();
        return List.of(Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
    }

    @Override public String bootstrapServers() { return System.getProperty("spool.bootstrap"); }
    @Override public ClusterConfig config() { return config; }
    @Override public Type type() { return Type.KRAFT; }
    @Override public ListenerName clientListener() { return ListenerName.normalised("EXTERNAL"); }
    @Override public ListenerName controllerListenerName() { return ListenerName.normalised("CONTROLLER"); }
    @Override public boolean started() { return true; }
    @Override public boolean stopped() { return false; }
    @Override public Optional<FaultHandlerException> firstFatalException() { return Optional.empty(); }
    @Override public Optional<FaultHandlerException> firstNonFatalException() { return Optional.empty(); }

    // One broker is always started, ready and consistent with itself.
    @Override public void start() { }
    @Override public void stop() { }
    @Override public void waitForReadyBrokers() { }
    @Override public void ensureConsistentMetadata() { }
    @Override public void ensureConsistentMetadata(Collection<KafkaBroker> brokers, Collection<ControllerServer> controllers) { }

    // Both targets serve both; Kafka's own library asks the broker objects.
    @Override public Set<GroupProtocol> supportedGroupProtocols() { return Set.of(GroupProtocol.CLASSIC, GroupProtocol.CONSUMER); }

    @Override public Map<Integer, KafkaBroker> brokers() {
        return isPassedOn() ? Map.of() : new BrokersWithoutObjects(brokerIds());
    }
    @Override public Map<Integer, KafkaBroker> aliveBrokers() { return brokers(); }
    @Override public Map<Integer, ControllerServer> controllers() {
        if (isPassedOn()) return Map.of();
        throw outOfReach("controller objects");
    }
    @Override public Set<Integer> controllerIds() { throw outOfReach("controllers"); }
    @Override public String bootstrapControllers() { throw outOfReach("controllers"); }
    @Override public List<Authorizer> authorizers() { throw outOfReach("authorizer objects"); }
    @Override public void shutdownBroker(int id) { throw outOfReach("the shutdown"); }
    @Override public void startBroker(int id) { throw outOfReach("the start"); }

    /**
     * Kafka's tests of requests about streams groups only pass the objects on to helpers, which have other
     * bodies here and do not look at them.
     */
    private static boolean isPassedOn() {
        return StackWalker.getInstance().walk(frames ->
            frames.anyMatch(frame -> frame.getClassName().startsWith("kafka.server.StreamsGroup")));
    }

    /** Many tests only count the brokers or look at their ids, and that can be answered from afar. */
    private static final class BrokersWithoutObjects extends AbstractMap<Integer, KafkaBroker> {
        private final Set<Integer> ids;

        BrokersWithoutObjects(Set<Integer> ids) {
            this.ids = ids;
        }

        @Override public int size() { return ids.size(); }
        @Override public Set<Integer> keySet() { return ids; }
        @Override public boolean containsKey(Object id) { return ids.contains(id); }
        @Override public KafkaBroker get(Object id) { return brokerFromAfar(ids); }
        @Override public Set<Map.Entry<Integer, KafkaBroker>> entrySet() { throw outOfReach("broker objects"); }
    }

    /** Tests wait for a broker's metadata to name its nodes: those are known; all else is out of reach. */
    private static KafkaBroker brokerFromAfar(Set<Integer> ids) {
        List<Node> nodes = ids.stream().map(id -> new Node(id, "127.0.0.1", 0)).toList();
        MetadataCache cache = answering(MetadataCache.class, "getAliveBrokerNodes", nodes);
        return answering(KafkaBroker.class, "metadataCache", cache);
    }

    private static <T> T answering(Class<T> type, String method, Object answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, called, arguments) -> {
            if (called.getName().equals(method)) return answer;
            throw outOfReach("broker objects");
        }));
    }
}
