import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's side of the test across protocols. The first argument is the bootstrap address, then:
 *   produce TOPIC any|subjects|bucket COUNT KEYS   the numbered records of numbered-records.ts, in order
 *   consume TOPIC GROUP COUNT                      a member of a group reads COUNT records, and no more are there
 * Both print a line for each 1,000 records: the hash of their content ("-" for produced ones), and that of their
 * offsets and append times, as record-hash.ts makes them.
 */
public class CrossProtocol {
    private static final int BLOCK = 1000;
    private static final long LIMIT_MS = 600_000;
    private static final Duration POLL = Duration.ofMillis(500);

    public static void main(String[] args) throws Exception {
        switch (args[1]) {
            case "produce" -> produce(args[0], args[2], args[3], Integer.parseInt(args[4]), Integer.parseInt(args[5]));
            case "consume" -> consume(args[0], args[2], args[3], Integer.parseInt(args[4]));
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    private static void produce(String bootstrap, String topic, String form, int count, int keys) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("acks", "all");
        properties.put("enable.idempotence", "true");
        properties.put("compression.type", "lz4");
        properties.put("linger.ms", "5");
        Hashes hashes = new Hashes();
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int number = 0; number < count && failure.get() == null; number++) {
                var record = new ProducerRecord<>(topic, keyOf(form, number, keys), valueOf(form, number, keys));
                addHeaders(form, number, record.headers());
                // One thread calls back, in the order of the records of a partition.
                producer.send(record, (metadata, error) -> {
                    if (error != null) failure.compareAndSet(null, error);
                    else hashes.addTime(metadata.offset(), metadata.timestamp());
                });
            }
            producer.flush();
        }
        if (failure.get() != null) throw failure.get();
        hashes.finish(count);
    }

    private static byte[] keyOf(String form, int number, int keys) {
        if (form.equals("bucket")) return utf8("$KV.watched.k." + number % keys);
        if (form.equals("subjects")) return utf8("orders.kafka." + number % keys);
        return switch (number % 8) {
            case 0 -> null;
            case 1 -> utf8("customer " + number);
            case 2 -> new byte[] {(byte) 0xff, '.', (byte) number};
            default -> utf8("orders.eu." + number % keys);
        };
    }

    private static byte[] valueOf(String form, int number, int keys) {
        if (form.equals("bucket") && (number + number / keys) % 10 == 9) return null;
        if (form.equals("any") && number % 89 == 88) return null;
        byte[] value = new byte[number % 1000 == 500 ? 20_000 : number * 31 % 200];
        for (int at = 0; at < value.length; at++) value[at] = (byte) (number * 7 + at * 13);
        return value;
    }

    private static void addHeaders(String form, int number, Headers headers) {
        if (number % 5 == 0) return;
        headers.add("number", utf8(String.valueOf(number)));
        headers.add("kind", utf8("a"));
        headers.add("kind", utf8("b"));
        if (number % 5 == 3) headers.add("text", utf8("Grüße: " + number));
        if (!form.equals("any")) return;
        if (number % 5 == 2) headers.add("lines", utf8("1\r\n" + number));
        if (number % 5 == 4) headers.add("nothing", null);
    }

    private static void consume(String bootstrap, String topic, String group, int count) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("group.id", group);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        Hashes hashes = new Hashes();
        long deadline = System.nanoTime() + LIMIT_MS * 1_000_000;
        try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            int seen = 0;
            while (seen < count) {
                if (System.nanoTime() > deadline) throw new IllegalStateException("only " + seen + " records came");
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.timestampType() != TimestampType.LOG_APPEND_TIME)
                        throw new IllegalStateException(record.offset() + " has no append time");
                    hashes.add(record);
                    seen++;
                }
                consumer.commitAsync();
            }
            consumer.commitSync();
            TopicPartition partition = new TopicPartition(topic, 0);
            long committed = consumer.committed(java.util.Set.of(partition)).get(partition).offset();
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            if (seen != count || committed != end)
                throw new IllegalStateException(seen + " records came, " + committed + " is committed of " + end);
        }
        hashes.finish(count);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Hashes of blocks of records, printed once a block is full. */
    private static final class Hashes {
        private final MessageDigest content = sha256();
        private final MessageDigest times = sha256();
        private final StringBuilder lines = new StringBuilder();
        private boolean hasContent;
        private int count;

        void add(ConsumerRecord<byte[], byte[]> record) throws IOException {
            hasContent = true;
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeLong(record.offset());
            write(out, record.key());
            out.writeInt(record.headers().toArray().length);
            for (Header header : record.headers()) {
                write(out, utf8(header.key()));
                write(out, header.value());
            }
            write(out, record.value());
            content.update(bytes.toByteArray());
            addTime(record.offset(), record.timestamp());
        }

        void addTime(long offset, long timestamp) {
            times.update(utf8(offset + " " + timestamp + "\n"));
            if (++count % BLOCK == 0) print();
        }

        void finish(int expected) {
            if (count != expected) throw new IllegalStateException(count + " of " + expected + " records");
            if (count % BLOCK != 0) print();
            System.out.print(lines);
        }

        private void print() {
            HexFormat hex = HexFormat.of();
            lines.append(hasContent ? hex.formatHex(content.digest()) : "-").append(' ');
            lines.append(hex.formatHex(times.digest())).append('\n');
        }

        private static void write(DataOutputStream out, byte[] bytes) throws IOException {
            out.writeInt(bytes == null ? -1 : bytes.length);
            if (bytes != null) out.write(bytes);
        }

        private static MessageDigest sha256() {
            try {
                return MessageDigest.getInstance("SHA-256");
            } catch (java.security.NoSuchAlgorithmException error) {
                throw new IllegalStateException(error);
            }
        }
    }
}
