import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;

/**
 * What the test of Kafka Streams does in a JVM. The first argument is the bootstrap address, then:
 *   create TOPIC PARTITIONS
 *   fill TOPIC FROM TO WORDS       records FROM to TO; key: the number modulo 7, value: a word and the number
 *   copy|count APP IN OUT DIR MS classic|streams
 *                                  runs the topology until it is ended, MS milliseconds for each record
 *   read TOPIC COUNT               reads committed records until there are COUNT, then to the end
 *   total TOPIC SUM                the same, until the last value of each key add up to SUM
 * The readers print partition, key and value of each record, with tabs between.
 */
public class StreamsApp {
    private static final long LIMIT_MS = 90_000;

    public static void main(String[] args) throws Exception {
        String bootstrap = args[0];
        switch (args[1]) {
            case "create" -> create(bootstrap, args[2], Integer.parseInt(args[3]));
            case "fill" -> fill(bootstrap, args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]), Integer.parseInt(args[5]));
            case "copy", "count" -> run(bootstrap, args);
            case "read" -> read(bootstrap, args[2], Long.parseLong(args[3]), false);
            case "total" -> read(bootstrap, args[2], Long.parseLong(args[3]), true);
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    private static Properties properties(String bootstrap) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return properties;
    }

    private static void create(String bootstrap, String topic, int partitions) throws Exception {
        try (Admin admin = Admin.create(properties(bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
    }

    private static void fill(String bootstrap, String topic, int from, int to, int words) throws Exception {
        Properties properties = properties(bootstrap);
        properties.put("acks", "all");
        properties.put("enable.idempotence", "true");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int number = from; number < to; number++) {
                String value = "word" + number % words + " " + number;
                producer.send(new ProducerRecord<>(topic, String.valueOf(number % 7), value));
            }
        }
    }

    private static void run(String bootstrap, String[] args) {
        long pauseMs = Long.parseLong(args[6]);
        Properties properties = properties(bootstrap);
        properties.put("application.id", args[2]);
        properties.put("state.dir", args[5]);
        properties.put("processing.guarantee", "exactly_once_v2");
        properties.put("commit.interval.ms", "100");
        properties.put("statestore.cache.max.bytes", "0");
        properties.put("num.stream.threads", "2");
        properties.put("replication.factor", "1");
        properties.put("group.protocol", args[7]);
        if (args[7].equals("classic")) {
            properties.put("consumer.session.timeout.ms", "3000");
            properties.put("consumer.heartbeat.interval.ms", "500");
        } else properties.put("application.server", "127.0.0.1:1");
        properties.put("consumer.auto.offset.reset", "earliest");
        properties.put("producer.transaction.timeout.ms", "10000");
        properties.put("default.key.serde", Serdes.StringSerde.class);
        properties.put("default.value.serde", Serdes.StringSerde.class);
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> records = builder.<String, String>stream(args[3]).mapValues(value -> {
            try {
                Thread.sleep(pauseMs);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return value;
        });
        if (args[1].equals("copy")) records.to(args[4]);
        else
            records.groupBy((key, value) -> value.substring(0, value.indexOf(' '))).count().toStream()
                .mapValues(String::valueOf).to(args[4], Produced.with(Serdes.String(), Serdes.String()));
        KafkaStreams streams = new KafkaStreams(builder.build(), properties);
        streams.setUncaughtExceptionHandler(error -> {
            System.out.println("replaced a thread: " + error);
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
        streams.start();
    }

    private static void read(String bootstrap, String topic, long wanted, boolean isTotal) {
        Properties properties = properties(bootstrap);
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        List<ConsumerRecord<String, String>> seen = new ArrayList<>();
        Map<String, Long> last = new LinkedHashMap<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.currentTimeMillis() + LIMIT_MS;
            while (true) {
                long count = isTotal ? last.values().stream().mapToLong(Long::longValue).sum() : seen.size();
                if (count >= wanted && isAtEnd(consumer, partitions)) break;
                if (System.currentTimeMillis() > deadline) throw new IllegalStateException(topic + " has " + count + " of " + wanted);
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    seen.add(record);
                    if (isTotal) last.put(record.key(), Long.parseLong(record.value()));
                }
            }
        }
        StringBuilder out = new StringBuilder();
        for (ConsumerRecord<String, String> record : seen)
            out.append(record.partition()).append('\t').append(record.key()).append('\t').append(record.value()).append('\n');
        byte[] bytes = out.toString().getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private static boolean isAtEnd(KafkaConsumer<?, ?> consumer, List<TopicPartition> partitions) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        return partitions.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
    }
}
