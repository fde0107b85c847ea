import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Clients that live on while one broker after the other has the directory. Argument: bootstrap.
 * Reads commands, a line each; answers with lines `name TAB value`, then `ok` or `failed REASON`.
 */
public class ExchangeClient {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int TRANSACTION_TIMEOUT_MS = 600_000;

    private final String bootstrap;
    private final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
    private final Map<String, KafkaConsumer<String, String>> readers = new HashMap<>();
    private final Map<String, String> facts = new TreeMap<>();

    private ExchangeClient(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        var client = new ExchangeClient(args[0]);
        var input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String end = "ok";
            try (Admin admin = Admin.create(client.settings(Map.of()))) {
                client.facts.clear();
                client.run(admin, line.split(" "));
            } catch (Throwable error) {
                error.printStackTrace();
                end = "failed " + error;
            }
            client.facts.forEach((name, value) -> System.out.println(name + "\t" + value));
            System.out.println(end.replace('\n', ' '));
        }
        System.exit(0);
    }

    private void run(Admin admin, String[] words) throws Exception {
        switch (words[0]) {
            case "fill" -> fill(admin);
            case "change" -> change(admin, Integer.parseInt(words[1]));
            case "end" -> endOpenTransaction(Integer.parseInt(words[1]));
            case "observe" -> observe(admin);
            case "observe-for-kafka" -> observeForKafka(admin);
            case "await-compaction" -> awaitCompaction();
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    // What one broker makes and the other must find.

    private void fill(Admin admin) throws Exception {
        var compacted = Map.of("cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.01",
            "index.interval.bytes", "1");
        admin.createTopics(List.of(
            new NewTopic("plain", 1, (short) 1).configs(Map.of("retention.ms", "1000000", "index.interval.bytes", "1")),
            new NewTopic("compacted", 1, (short) 1).configs(compacted),
            new NewTopic("trimmed", 2, (short) 1),
            new NewTopic("shared", 1, (short) 1),
            new NewTopic("transactional", 2, (short) 1))).all().get();
        fillForKafka(admin);
        share();
    }

    /** A share group with records acknowledged, one released, and the rest not asked for. */
    private void share() throws Exception {
        try (var admin = Admin.create(settings(Map.of()))) {
            alter(admin, ConfigResource.Type.GROUP, "sharers", "share.auto.offset.reset", "earliest");
        }
        var producer = producer("steady", 0, null);
        for (int i = 0; i < 5; i++) producer.send(new ProducerRecord<>("shared", 0, null, "shared-" + i)).get();
        var settings = Map.of("group.id", "sharers", "share.acknowledgement.mode", "explicit");
        try (var consumer = new KafkaShareConsumer<>(settings(settings), new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("shared"));
            long deadlineMs = System.currentTimeMillis() + 40_000;
            for (int count = 0; count < 5; ) {
                if (System.currentTimeMillis() > deadlineMs) throw new IllegalStateException(count + " shared");
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    consumer.acknowledge(record, record.offset() == 2 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
                    if (count++ == 4) consumer.commitSync();
                }
            }
        }
        producer.send(new ProducerRecord<>("shared", 0, null, "shared-last")).get();
    }

    private void fillForKafka(Admin admin) throws Exception {
        alter(admin, ConfigResource.Type.BROKER, "", "log.cleaner.threads", "2");
        alter(admin, ConfigResource.Type.BROKER, "1", "num.io.threads", "5");
        alter(admin, ConfigResource.Type.GROUP, "consumer-readers", "consumer.session.timeout.ms", "50000");
        alter(admin, ConfigResource.Type.CLIENT_METRICS, "everything", "interval.ms", "3600000");
        for (String name : List.of("alice", "bob")) {
            var info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
            admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(name, info, "secret"))).all().get();
            var read = new AccessControlEntry("User:" + name, "*", AclOperation.READ, AclPermissionType.ALLOW);
            var pattern = new ResourcePattern(ResourceType.TOPIC, "pla", PatternType.PREFIXED);
            admin.createAcls(List.of(new AclBinding(pattern, read))).all().get();
            var entity = new ClientQuotaEntity(Map.of("user", name, "client-id", "any"));
            var rate = new ClientQuotaAlteration.Op("producer_byte_rate", 1048576.0);
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(rate)))).all().get();
        }
    }

    /** Something more of everything. */
    private void change(Admin admin, int round) throws Exception {
        admin.createTopics(List.of(new NewTopic("made-" + round, 2, (short) 1))).all().get();
        if (round > 1) admin.createPartitions(Map.of("made-" + (round - 1), NewPartitions.increaseTo(3))).all().get();
        if (round > 2) admin.deleteTopics(List.of("made-" + (round - 2))).all().get();
        alter(admin, ConfigResource.Type.TOPIC, "plain", "retention.ms", String.valueOf(864_000_000L + round));
        alter(admin, ConfigResource.Type.TOPIC, "trimmed", "flush.ms", round % 2 == 0 ? null : "1000");

        var steady = producer("steady", round, null);
        for (int i = 0; i < 3; i++) {
            var record = new ProducerRecord<>("plain", 0, i == 0 ? null : "key-" + i, i == 1 ? null : "value-" + round);
            record.headers().add("round", String.valueOf(round).getBytes());
            steady.send(record).get();
        }
        for (int i = 0; i < 20; i++) steady.send(new ProducerRecord<>("trimmed", i % 2, null, "trimmed " + round));
        steady.flush();
        var trimmed = new TopicPartition("trimmed", 0);
        admin.deleteRecords(Map.of(trimmed, RecordsToDelete.beforeOffset(10L * round - 3))).all().get();
        for (int i = 0; i < 4; i++) {
            for (int key = 0; key < 5; key++)
                steady.send(new ProducerRecord<>("compacted", 0, "key-" + key, "value-" + round + "-" + i)).get();
            steady.send(new ProducerRecord<>("compacted", 0, "gone-" + round, i == 3 ? null : "here")).get();
            Thread.sleep(110); // The age at which a segment is rolled.
        }
        read("classic", 3);
        read("consumer", 3);
        transact(round);
        openTransaction(round);
    }

    @SuppressWarnings("removal")
    private void transact(int round) throws Exception {
        var copier = producer("copier", round, "copier");
        copier.beginTransaction();
        for (int i = 0; i < 3; i++) copier.send(new ProducerRecord<>("transactional", 0, "a", "committed-" + round));
        copier.sendOffsetsToTransaction(
            Map.of(new TopicPartition("plain", 0), new OffsetAndMetadata(round, Optional.of(0), "copied")),
            new ConsumerGroupMetadata("copiers"));
        copier.commitTransaction();
        copier.beginTransaction();
        for (int i = 0; i < 2; i++) copier.send(new ProducerRecord<>("transactional", 0, "a", "aborted-" + round));
        copier.flush();
        copier.abortTransaction();
        copier.beginTransaction();
        copier.send(new ProducerRecord<>("transactional", 1, "a", "committed-last-" + round));
        copier.commitTransaction();
    }

    /** Its producer goes on with it when another broker has the directory, or is lost with it. */
    @SuppressWarnings("removal")
    private void openTransaction(int round) throws Exception {
        var open = producer("open-" + round, round, "open");
        open.beginTransaction();
        open.send(new ProducerRecord<>("transactional", 1, "b", "open-" + round)).get();
        open.sendOffsetsToTransaction(
            Map.of(new TopicPartition("plain", 0), new OffsetAndMetadata(round)), new ConsumerGroupMetadata("openers"));
    }

    private void endOpenTransaction(int round) throws Exception {
        var open = producers.remove("open-" + round);
        if (round % 2 == 1) {
            open.send(new ProducerRecord<>("transactional", 1, "b", "open-and-on-" + round)).get();
            open.commitTransaction();
            open.close();
        } else {
            open.close(Duration.ZERO);
            producer("after-" + round, round, "open").close();
            producers.remove("after-" + round);
        }
    }

    /** A member of a group that stays in it: it must get what was added, nothing twice. */
    private void read(String protocol, int count) {
        var reader = readers.computeIfAbsent(protocol, name -> {
            var settings = Map.of("group.id", name + "-readers", "group.protocol", name, "auto.offset.reset", "earliest");
            var made = new KafkaConsumer<>(settings(settings), new StringDeserializer(), new StringDeserializer());
            made.subscribe(List.of("plain"));
            return made;
        });
        var found = new ArrayList<String>();
        long deadlineMs = System.currentTimeMillis() + 40_000;
        while (found.size() < count && System.currentTimeMillis() < deadlineMs)
            reader.poll(Duration.ofMillis(200)).forEach(record -> found.add(record.offset() + ":" + record.value()));
        if (found.size() != count) throw new IllegalStateException(protocol + " reader got " + found);
        reader.commitSync();
    }

    private KafkaProducer<String, String> producer(String name, int round, String transactionalId) {
        return producers.computeIfAbsent(name, key -> {
            var settings = new HashMap<String, Object>();
            settings.put("compression.type", CODECS.get(round % CODECS.size()));
            if (transactionalId != null) {
                settings.put("transactional.id", transactionalId);
                settings.put("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
            }
            var made = new KafkaProducer<>(settings(settings), new StringSerializer(), new StringSerializer());
            if (transactionalId != null) made.initTransactions();
            return made;
        });
    }

    /** A null value takes the config back. */
    private static void alter(Admin admin, ConfigResource.Type type, String resource, String name, String value)
        throws Exception {
        var kind = value == null ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET;
        Collection<AlterConfigOp> operations = List.of(new AlterConfigOp(new ConfigEntry(name, value), kind));
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(type, resource), operations)).all().get();
    }

    private Properties settings(Map<String, ?> more) {
        var settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("reconnect.backoff.max.ms", 200);
        settings.putAll(more);
        return settings;
    }

    // What both brokers can tell.

    private void observe(Admin admin) throws Exception {
        facts.put("cluster id", admin.describeCluster().clusterId().get());
        var features = admin.describeFeatures().featureMetadata().get().finalizedFeatures();
        for (var name : List.of("metadata.version", "group.version", "transaction.version"))
            facts.put("feature " + name, features.get(name).toString());
        var topics = new TreeMap<>(admin.describeTopics(admin.listTopics(
            new org.apache.kafka.clients.admin.ListTopicsOptions().listInternal(true)).names().get()).allTopicNames().get());
        var partitions = new ArrayList<TopicPartition>();
        for (var topic : topics.values()) {
            facts.put("topic " + topic.name(), topic.topicId() + " " + topic.partitions());
            facts.put("topic configs " + topic.name(), configs(admin, ConfigResource.Type.TOPIC, topic.name()));
            if (topic.isInternal()) continue;
            for (var partition : topic.partitions())
                partitions.add(new TopicPartition(topic.name(), partition.partition()));
        }
        for (var partition : partitions) observePartition(admin, partition);
        observeRecords(partitions);
        facts.put("broker configs", configs(admin, ConfigResource.Type.BROKER, "1"));
        facts.put("cluster configs", configs(admin, ConfigResource.Type.BROKER, ""));
        observeGroups(admin);
        for (var listing : admin.listTransactions().all().get()) {
            var id = listing.transactionalId();
            facts.put("transaction " + id, admin.describeTransactions(Set.of(id)).description(id).get().toString());
        }
    }

    private void observePartition(Admin admin, TopicPartition partition) throws Exception {
        var specs = Map.of("start", OffsetSpec.earliest(), "end", OffsetSpec.latest(), "newest", OffsetSpec.maxTimestamp());
        for (var spec : specs.entrySet()) {
            var found = admin.listOffsets(Map.of(partition, spec.getValue())).partitionResult(partition).get();
            // Kafka finds the newest among deleted records too.
            var offset = spec.getKey().equals("newest") ? "" : found.offset() + " ";
            facts.put("offset " + partition + " " + spec.getKey(), offset + "at " + found.timestamp());
        }
        var active = new TreeMap<Long, String>();
        for (var one : admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers())
            active.put(one.producerId(), one.toString());
        facts.put("producers " + partition, active.values().toString());
    }

    private void observeRecords(List<TopicPartition> partitions) {
        for (var isolation : IsolationLevel.values()) {
            for (var read : records(partitions, isolation).entrySet()) {
                // Either broker compacts when it wants to, but what a key has last stays, where it is.
                boolean isCompacted = read.getKey().topic().equals("compacted");
                var records = isCompacted ? last(read.getValue()) : read.getValue().toString();
                facts.put("records " + read.getKey() + " " + isolation, records);
            }
        }
    }

    /** All that a consumer can see of each record: key, `=`, and what must not change. */
    private Map<TopicPartition, List<String>> records(List<TopicPartition> partitions, IsolationLevel isolation) {
        var settings = Map.of("isolation.level", isolation.toString().toLowerCase(), "max.poll.records", "10000",
            "fetch.max.wait.ms", "20", "enable.auto.commit", "false", "auto.offset.reset", "earliest");
        var found = new HashMap<TopicPartition, List<String>>();
        for (var partition : partitions) found.put(partition, new ArrayList<>());
        try (var consumer = new KafkaConsumer<>(settings(settings), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            long deadlineMs = System.currentTimeMillis() + 30_000;
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                if (System.currentTimeMillis() > deadlineMs) throw new IllegalStateException("there is no " + ends);
                for (var record : consumer.poll(SECOND)) {
                    var headers = new StringBuilder();
                    for (var header : record.headers()) headers.append(header.key()).append(new String(header.value()));
                    found.get(new TopicPartition(record.topic(), record.partition())).add(record.key() + "="
                        + record.offset() + " " + record.timestampType() + " " + record.timestamp() + " "
                        + record.leaderEpoch() + " " + headers + " " + record.value());
                }
            }
        }
        return found;
    }

    private static String last(List<String> records) {
        var last = new TreeMap<String, String>();
        for (String record : records) last.put(record.substring(0, record.indexOf('=')), record);
        return last.values().toString();
    }

    private void observeGroups(Admin admin) throws Exception {
        for (var listing : new ArrayList<>(admin.listGroups().all().get())) {
            var id = listing.groupId();
            if (listing.type().filter(GroupType.SHARE::equals).isPresent()) continue;
            facts.put("group " + id, listing.type() + " " + listing.protocol() + " " + listing.groupState());
            var offsets = admin.listConsumerGroupOffsets(id).partitionsToOffsetAndMetadata().get();
            facts.put("group offsets " + id, offsets.toString());
            var members = new ArrayList<String>();
            for (var member : admin.describeConsumerGroups(List.of(id)).describedGroups().get(id).get().members())
                members.add(member.consumerId() + " " + member.assignment() + " " + member.memberEpoch());
            facts.put("group members " + id, members.toString());
        }
    }

    /** Those that somebody set, and where. */
    private static String configs(Admin admin, ConfigResource.Type type, String name) throws Exception {
        var resource = new ConfigResource(type, name);
        var found = new TreeMap<String, String>();
        for (var entry : admin.describeConfigs(List.of(resource)).values().get(resource).get().entries())
            if (entry.source().name().startsWith("DYNAMIC")) found.put(entry.name(), entry.value() + " " + entry.source());
        return found.toString();
    }

    // What only Kafka can tell: it must have come through Spool as it was.

    private void observeForKafka(Admin admin) throws Exception {
        facts.put("features", new TreeMap<>(admin.describeFeatures().featureMetadata().get().finalizedFeatures()).toString());
        var acls = new ArrayList<>(admin.describeAcls(AclBindingFilter.ANY).values().get().stream().map(Object::toString).toList());
        java.util.Collections.sort(acls);
        facts.put("acls", acls.toString());
        facts.put("users", new TreeMap<>(admin.describeUserScramCredentials().all().get()).toString());
        for (var quota : admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().entrySet())
            facts.put("quota " + new TreeMap<>(quota.getKey().entries()), quota.getValue().toString());
        facts.put("share group", admin.describeShareGroups(List.of("sharers")).all().get().get("sharers").groupState() + " "
            + admin.listShareGroupOffsets(Map.of("sharers", new ListShareGroupOffsetsSpec())).all().get().toString());
        facts.put("group configs", configs(admin, ConfigResource.Type.GROUP, "consumer-readers"));
        facts.put("metrics configs", configs(admin, ConfigResource.Type.CLIENT_METRICS, "everything"));
    }

    /** Until the cleaner of the running broker has been at work. */
    private void awaitCompaction() throws Exception {
        var partition = new TopicPartition("compacted", 0);
        long deadlineMs = System.currentTimeMillis() + 40_000;
        while (true) {
            var records = records(List.of(partition), IsolationLevel.READ_UNCOMMITTED).get(partition);
            long keyCount = records.stream().map(one -> one.substring(0, one.indexOf('='))).distinct().count();
            // What is in the last segment stays.
            if (records.size() <= keyCount + 6) return;
            if (System.currentTimeMillis() > deadlineMs) throw new IllegalStateException(records.size() + " records left");
            Thread.sleep(250);
        }
    }
}
