import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Prints record batches made by Kafka's own classes: a name and its bytes in hex on each line. */
public final class RecordBatchVectors {
    private static final long T = 1_700_000_000_000L;

    public static void main(String[] args) {
        System.out.println("# Made by Apache Kafka's own MemoryRecordsBuilder; a name and the bytes in hex per line.");
        System.out.println("# java -cp \"$KAFKA_LIBS/*\" test/vectors/RecordBatchVectors.java > test/vectors/record-batches.txt");
        Compression[] all = {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(),
            Compression.lz4().build(), Compression.zstd().build()};
        String[] names = {"none", "gzip", "snappy", "lz4", "zstd"};
        for (int i = 0; i < all.length; i++) {
            print(names[i], mixed(all[i], TimestampType.CREATE_TIME, -1, (short) -1, -1, false));
            print(names[i] + "-append-time", mixed(all[i], TimestampType.LOG_APPEND_TIME, -1, (short) -1, -1, false));
            print(names[i] + "-large", large(all[i]));
        }
        print("idempotent", mixed(all[0], TimestampType.CREATE_TIME, 4321, (short) 7, 2147483646, false));
        print("transactional", mixed(all[3], TimestampType.CREATE_TIME, 4321, (short) 7, 12, true));
        print("marker-abort", marker(ControlRecordType.ABORT));
        print("marker-commit", marker(ControlRecordType.COMMIT));
    }

    private static MemoryRecordsBuilder builder(Compression compression, TimestampType type, long producerId,
                                                short epoch, int sequence, boolean transactional) {
        return MemoryRecords.builder(ByteBuffer.allocate(1 << 20), RecordBatch.MAGIC_VALUE_V2, compression, type, 42L,
            T + 5000, producerId, epoch, sequence, transactional, 9);
    }

    private static MemoryRecords mixed(Compression compression, TimestampType type, long producerId, short epoch,
                                       int sequence, boolean transactional) {
        MemoryRecordsBuilder b = builder(compression, type, producerId, epoch, sequence, transactional);
        Header[] headers = {new RecordHeader("h1", utf8("one")), new RecordHeader("leer", new byte[0]),
            new RecordHeader("\u00fc", null)};
        b.append(T, utf8("key"), utf8("value"), headers);
        b.append(T - 70_000, null, utf8("no key, earlier"));
        b.append(T + 40_000_000_000L, utf8("tombstone"), null);
        b.append(T, new byte[0], new byte[0]);
        return b.build();
    }

    private static MemoryRecords large(Compression compression) {
        MemoryRecordsBuilder b = builder(compression, TimestampType.CREATE_TIME, -1, (short) -1, -1, false);
        for (int i = 0; i < 300; i++) {
            b.append(T + i, utf8("user-" + i % 7), utf8(("event " + i + " ").repeat(60)));
        }
        return b.build();
    }

    private static MemoryRecords marker(ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(42L, T, 9, 4321, (short) 8, new EndTransactionMarker(type, 3));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void print(String name, MemoryRecords records) {
        ByteBuffer bytes = records.buffer().duplicate();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        // An uncompressed batch this large would only make the file fat.
        if (name.equals("none-large")) return;
        System.out.println(name + " " + HexFormat.of().formatHex(copy));
    }
}
