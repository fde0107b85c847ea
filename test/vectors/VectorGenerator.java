// Prints golden vectors for the wire and record schemas; see README.md next to this file.
// Random bytes are made from Kafka's own schema objects, read by Kafka's message classes and
// written again by them: what is printed is what Kafka writes.
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.jar.JarFile;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.ArrayOf;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.NullableSchema;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class VectorGenerator {
    // Of each version; messages with few versions get more, so that each rare case is seen.
    static final int FEW_VERSIONS = 2;
    static final int RANDOM_VECTORS = 3;
    static final int RANDOM_VECTORS_OF_FEW = 8;
    // Not part of Spool: tiered storage, inter-broker principals, and what is only ever JSON.
    static final String NOT_OURS = "Remote.*|DefaultPrincipalData|QuorumStateData";
    static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-_";

    static Random random;

    public static void main(String[] args) throws Exception {
        Map<String, Class<?>> classes = new TreeMap<>();
        for (String path : System.getProperty("java.class.path").split(":")) {
            if (Path.of(path).getFileName().toString().startsWith("kafka-")) collect(path, classes);
        }
        for (Class<?> type : classes.values()) printMessage(type);
        for (ApiKeys key : ApiKeys.values()) printHeaderVersions(key);
    }

    static void collect(String path, Map<String, Class<?>> classes) throws Exception {
        try (JarFile jar = new JarFile(path)) {
            for (var entry : jar.stream().toList()) {
                String name = entry.getName();
                if (!name.matches("org/apache/kafka/.*(message|generated|metadata)/[A-Za-z]+\\.class")) continue;
                if (name.endsWith("JsonConverter.class")) continue;
                Class<?> type = Class.forName(name.replace('/', '.').replace(".class", ""));
                boolean isMessage = Message.class.isAssignableFrom(type) && !type.isInterface();
                if (isMessage && !type.getSimpleName().matches(NOT_OURS)) classes.put(type.getSimpleName(), type);
            }
        }
    }

    static void printMessage(Class<?> type) throws Exception {
        String name = type.getSimpleName().replaceAll("(Request|Response|Header)Data$", "$1");
        Message first = instance(type);
        int versions = first.highestSupportedVersion() - first.lowestSupportedVersion() + 1;
        int vectors = versions > FEW_VERSIONS ? RANDOM_VECTORS : RANDOM_VECTORS_OF_FEW;
        // The same vectors for a message whatever other messages there are.
        random = new Random(name.hashCode());
        for (short v = first.lowestSupportedVersion(); v <= first.highestSupportedVersion(); v++) {
            byte[] plain = write(instance(type), v);
            print(name, "default", v, write(read(type, plain, v), v));
            Schema schema = ((Schema[]) type.getField("SCHEMAS").get(null))[v];
            for (int i = 0; i < vectors; i++) print(name, "random", v, randomMessage(type, schema, v));
            printFramed(name, instance(type), v);
        }
    }

    static byte[] randomMessage(Class<?> type, Schema schema, short version) throws Exception {
        byte[] once = write(read(type, randomBytes(schema, 0), version), version);
        byte[] twice = write(read(type, once, version), version);
        if (!Arrays.equals(once, twice)) throw new IllegalStateException(type + " v" + version);
        return once;
    }

    static void printFramed(String name, Message message, short version) {
        String where = message.getClass().getPackageName();
        if (where.equals("org.apache.kafka.common.metadata")) {
            var record = new ApiMessageAndVersion((ApiMessage) message, version);
            var cache = new ObjectSerializationCache();
            var serde = MetadataRecordSerde.INSTANCE;
            var bytes = ByteBuffer.allocate(serde.recordSize(record, cache));
            serde.write(record, cache, new ByteBufferAccessor(bytes));
            print(name, "framed", version, bytes.array());
        } else if (where.contains(".coordinator.") && name.endsWith("Key")) {
            print(name, "framed", version, MessageUtil.toCoordinatorTypePrefixedBytes((ApiMessage) message));
        } else if (where.contains(".coordinator.")) {
            print(name, "framed", version, MessageUtil.toVersionPrefixedBytes(version, message));
        }
    }

    static void printHeaderVersions(ApiKeys key) {
        if (!key.hasValidVersion()) return;
        for (short v = key.oldestVersion(); v <= key.latestVersion(true); v++) {
            String request = HexFormat.of().toHexDigits((byte) key.requestHeaderVersion(v));
            String response = HexFormat.of().toHexDigits((byte) key.responseHeaderVersion(v));
            System.out.println(key.name + " headers " + v + " " + request + response);
        }
        String newest = HexFormat.of().toHexDigits((byte) key.latestVersion(false));
        String oldest = HexFormat.of().toHexDigits((byte) key.oldestVersion());
        System.out.println(key.name + " stable " + key.id + " " + oldest + newest);
    }

    static void print(String name, String kind, short version, byte[] bytes) {
        String hex = bytes.length == 0 ? "-" : HexFormat.of().formatHex(bytes);
        System.out.println(name + " " + kind + " " + version + " " + hex);
    }

    static Message instance(Class<?> type) throws Exception {
        return (Message) type.getConstructor().newInstance();
    }

    static Message read(Class<?> type, byte[] bytes, short version) throws Exception {
        Message message = instance(type);
        var accessor = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
        message.read(accessor, version);
        if (accessor.remaining() > 0) throw new IllegalStateException(type + " left bytes");
        return message;
    }

    static byte[] write(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static byte[] randomBytes(Type type, int depth) throws IOException {
        var bytes = new ByteArrayOutputStream();
        writeRandom(type, new DataOutputStream(bytes), depth);
        return bytes.toByteArray();
    }

    static void writeRandom(Type type, DataOutputStream out, int depth) throws IOException {
        if (type instanceof NullableSchema && random.nextInt(2) == 0) out.writeByte(-1);
        else if (type instanceof Schema schema) {
            if (type instanceof NullableSchema) out.writeByte(1);
            for (BoundField field : schema.fields()) writeRandom(field.def.type, out, depth + 1);
        } else if (type instanceof TaggedFields tagged) writeTagged(tagged, out, depth);
        else if (type instanceof ArrayOf || type instanceof CompactArrayOf) writeArray(type, out, depth);
        else writePrimitive(type.toString(), out);
    }

    static void writeArray(Type type, DataOutputStream out, int depth) throws IOException {
        boolean isNull = type.isNullable() && random.nextInt(4) == 0;
        int count = isNull ? -1 : random.nextInt(depth > 3 ? 2 : 4);
        writeLength(type instanceof CompactArrayOf, count, out);
        for (int i = 0; i < count; i++) writeRandom(type.arrayElementType().get(), out, depth + 1);
    }

    static void writeTagged(TaggedFields tagged, DataOutputStream out, int depth) throws IOException {
        Map<Integer, byte[]> present = new TreeMap<>();
        for (Map.Entry<Integer, Field> entry : tagged.fields().entrySet()) {
            if (random.nextInt(3) > 0) present.put(entry.getKey(), taggedValue(entry.getValue().type, depth));
        }
        writeUvarint(present.size(), out);
        for (Map.Entry<Integer, byte[]> entry : present.entrySet()) {
            writeUvarint(entry.getKey(), out);
            writeUvarint(entry.getValue().length, out);
            out.write(entry.getValue());
        }
    }

    // Kafka's classes read the presence of a tagged struct as an unsigned varint.
    static byte[] taggedValue(Type type, int depth) throws IOException {
        byte[] bytes = randomBytes(type, depth + 1);
        return type instanceof NullableSchema && bytes[0] < 0 ? new byte[1] : bytes;
    }

    static void writePrimitive(String type, DataOutputStream out) throws IOException {
        switch (type) {
            case "BOOLEAN" -> out.writeBoolean(random.nextBoolean());
            case "INT8" -> out.writeByte(random.nextInt());
            case "INT16", "UINT16" -> out.writeShort(random.nextInt());
            case "INT32", "UINT32" -> out.writeInt(random.nextInt());
            case "INT64" -> out.writeLong(random.nextBoolean() ? random.nextLong() : random.nextInt(3) - 1);
            case "FLOAT64" -> out.writeDouble(random.nextGaussian() * 1e6);
            case "UUID" -> out.write(random.nextInt(3) == 0 ? new byte[16] : blob(16));
            default -> writeBlob(type, out);
        }
    }

    static void writeBlob(String type, DataOutputStream out) throws IOException {
        boolean compact = type.startsWith("COMPACT");
        boolean isNull = type.contains("NULLABLE") && random.nextInt(3) == 0;
        byte[] bytes = type.endsWith("STRING") ? text() : blob(length());
        if (!type.endsWith("STRING") && !type.endsWith("BYTES") && !type.endsWith("RECORDS"))
            throw new IllegalStateException(type);
        int count = isNull ? -1 : bytes.length;
        if (type.endsWith("STRING") && !compact) out.writeShort(count);
        else writeLength(compact, count, out);
        if (!isNull) out.write(bytes);
    }

    static void writeLength(boolean compact, int length, DataOutputStream out) throws IOException {
        if (compact) writeUvarint(length + 1, out);
        else out.writeInt(length);
    }

    static void writeUvarint(int value, DataOutputStream out) throws IOException {
        int rest = value;
        for (; (rest & ~0x7f) != 0; rest >>>= 7) out.writeByte(rest & 0x7f | 0x80);
        out.writeByte(rest);
    }

    // Sometimes longer than one byte of varint can say.
    static int length() {
        return random.nextInt(60) == 0 ? 120 + random.nextInt(30) : random.nextInt(9);
    }

    static byte[] blob(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    static byte[] text() {
        var text = new StringBuilder();
        for (int left = length(); left > 0; left--) text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        if (random.nextInt(20) == 0) text.append("\u00e9\u8a9e\ud83d\ude00");
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
