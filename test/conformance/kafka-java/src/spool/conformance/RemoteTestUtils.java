package spool.conformance;

import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;

import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.MethodDelegation;
import net.bytebuddy.implementation.bind.annotation.Argument;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

import scala.collection.immutable.Nil$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Kafka's tests of the group coordinator make their topics through helpers that then look into objects of
 * the broker. This listener gives those helpers other bodies, before their classes are loaded: they make
 * the same topics over the network only. The tests themselves are as published.
 */
public final class RemoteTestUtils implements LauncherSessionListener {
    private static final String TEST_UTILS = "kafka.utils.TestUtils$";
    private static final String BASE_TEST = "kafka.server.GroupCoordinatorBaseRequestTest";
    private static final long SETTLE_MS = 30_000;
    private static final long LOOK_EVERY_MS = 50;

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        ByteBuddyAgent.install();
        new AgentBuilder.Default()
            .with(AgentBuilder.Listener.StreamWriting.toSystemOut().withErrorsOnly())
            .type(named(TEST_UTILS))
            .transform((builder, type, loader, module, domain) -> overNetwork(builder))
            .type(named(BASE_TEST))
            .transform((builder, type, loader, module, domain) -> withoutObjects(builder))
            .installOnByteBuddyAgent();
    }

    private static DynamicType.Builder<?> overNetwork(DynamicType.Builder<?> builder) {
        return builder
            .method(named("createTopicWithAdmin").and(takesArguments(8)))
            .intercept(MethodDelegation.to(Topics.class))
            .method(named("createOffsetsTopicWithAdmin").and(takesArgument(0, Admin.class)))
            .intercept(MethodDelegation.to(OffsetsTopic.class))
            .method(named("createTransactionStateTopicWithAdmin").and(takesArgument(0, Admin.class)))
            .intercept(MethodDelegation.to(TransactionsTopic.class));
    }

    private static DynamicType.Builder<?> withoutObjects(DynamicType.Builder<?> builder) {
        Seq<?> none = (Seq<?>) (Object) Nil$.MODULE$;
        return builder
            .method(namedOneOf("brokers", "controllerServers", "getBrokers"))
            .intercept(FixedValue.value(none))
            .method(named("isUnstableApiEnabled"))
            .intercept(FixedValue.value(false))
            .method(named("bootstrapServers"))
            .intercept(FixedValue.value(System.getProperty("spool.bootstrap")));
    }

    /** Public as the two below, because the new bodies call it from another package. */
    public static final class OffsetsTopic {
        private OffsetsTopic() { }

        /** A broker makes the topic when it looks for the first coordinator. */
        public static scala.collection.Map<Object, Object> create(@Argument(0) Admin admin) throws Exception {
            admin.listConsumerGroupOffsets("made-to-find-a-coordinator").all().get();
            return scala.collection.immutable.Map.from(CollectionConverters.asScala(Map.of()));
        }
    }

    public static final class TransactionsTopic {
        private TransactionsTopic() { }

        public static scala.collection.Map<Object, Object> create(@Argument(0) Admin admin) throws Exception {
            try {
                admin.describeTransactions(List.of("made-to-find-a-coordinator")).all().get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TransactionalIdNotFoundException)) throw e;
            }
            return scala.collection.immutable.Map.from(CollectionConverters.asScala(Map.of()));
        }
    }

    public static final class Topics {
        private Topics() { }

        /** Makes a topic and returns the leader of each partition once all have one. */
        public static scala.collection.immutable.Map<Object, Object> create(
            @Argument(0) Admin admin, @Argument(1) String name, @Argument(4) int partitions,
            @Argument(7) Properties configs
        ) throws Exception {
            Map<String, String> values = new HashMap<>();
            configs.stringPropertyNames().forEach(key -> values.put(key, configs.getProperty(key)));
            try {
                admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(values))).all().get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) throw e;
            }
            return leaders(admin, name, partitions);
        }

        private static scala.collection.immutable.Map<Object, Object> leaders(Admin admin, String name, int partitions)
                throws Exception {
            long end = System.currentTimeMillis() + SETTLE_MS;
            while (System.currentTimeMillis() < end) {
                Map<Object, Object> leaders = new HashMap<>();
                for (TopicPartitionInfo info : describe(admin, name))
                    if (info.leader() != null && !info.leader().isEmpty()) leaders.put(info.partition(), info.leader().id());
                if (leaders.size() == partitions) return scala.collection.immutable.Map.from(CollectionConverters.asScala(leaders));
                Thread.sleep(LOOK_EVERY_MS);
            }
            throw new AssertionError("topic " + name + " has no leaders");
        }

        private static List<TopicPartitionInfo> describe(Admin admin, String name) throws InterruptedException {
            try {
                TopicDescription found = admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
                return found.partitions();
            } catch (ExecutionException e) {
                return List.of();
            }
        }
    }
}
