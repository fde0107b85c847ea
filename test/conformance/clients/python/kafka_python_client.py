"""kafka-python works through what an application does and prints one JSON object of results."""

import json
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

SERVER = sys.argv[1]
PARTITIONS = 4
RECORDS = 200
LIMIT_SECONDS = 60
STALL_SECONDS = 8


def wait_until(step, what, limit_seconds=LIMIT_SECONDS):
    """Repeats `step` until it returns something true."""
    end = time.monotonic() + limit_seconds
    while time.monotonic() < end:
        result = step()
        if result:
            return result
    raise TimeoutError(what)


def admin():
    client = KafkaAdminClient(bootstrap_servers=SERVER)
    client.create_topics([NewTopic("kp-admin", PARTITIONS, 1)])
    try:
        client.create_topics([NewTopic("kp-admin", PARTITIONS, 1)])
        again = "created"
    except TopicAlreadyExistsError:
        again = "TOPIC_ALREADY_EXISTS"
    partitions = len(client.describe_topics(["kp-admin"])[0]["partitions"])
    client.delete_topics(["kp-admin"])
    client.close()
    return {"createdAgain": again, "partitions": partitions}


def produce(topic, count, **settings):
    producer = KafkaProducer(bootstrap_servers=SERVER, acks="all", **settings)
    futures = [producer.send(topic, key=str(i).encode(), value=f"record {i} with some text".encode()) for i in range(count)]
    producer.flush(LIMIT_SECONDS)
    offsets = [future.get(LIMIT_SECONDS).offset for future in futures]
    producer.close()
    return offsets


def consumer(**settings):
    return KafkaConsumer(bootstrap_servers=SERVER, auto_offset_reset="earliest", enable_auto_commit=False,
                         heartbeat_interval_ms=300, session_timeout_ms=10000, fetch_max_wait_ms=100, **settings)


def poll(source, seen):
    batches = source.poll(timeout_ms=100)
    for records in batches.values():
        seen.extend(records)
    return batches


def read(topic, count):
    source = consumer()
    source.assign([TopicPartition(topic, 0)])
    seen = []
    wait_until(lambda: poll(source, seen) is not None and len(seen) >= count, f"{count} records of {topic}")
    source.close()
    return seen


def codecs():
    counts = {}
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        topic = f"kp-codec-{codec}"
        produce(topic, RECORDS, compression_type=codec, linger_ms=20)
        counts[str(codec)] = len({record.value for record in read(topic, RECORDS)})
    return counts


def headers():
    producer = KafkaProducer(bootstrap_servers=SERVER)
    producer.send("kp-headers", value=b"value", timestamp_ms=1_700_000_000_123, headers=[("a", b"1"), ("b", b"")])
    producer.close()
    record = read("kp-headers", 1)[0]
    return {"headers": [f"{name}={value.decode()}" for name, value in record.headers], "hasKey": record.key is not None,
            "timestamp": record.timestamp}


def group():
    """kafka-python 3.0.12 sometimes stops sending after a rebalance, with Apache Kafka too: then begin anew."""
    for attempt in range(6):
        try:
            return group_of_two(f"kp-group-{attempt}", f"kp-readers-{attempt}")
        except TimeoutError as error:
            print(f"attempt {attempt}: {error}", file=sys.stderr)
    raise TimeoutError("the consumers stalled in every attempt")


def group_of_two(topic, name):
    client = KafkaAdminClient(bootstrap_servers=SERVER)
    client.create_topics([NewTopic(topic, PARTITIONS, 1)])
    client.close()
    produce(topic, RECORDS)
    members = [consumer(group_id=name) for _ in range(2)]
    seen = []

    def step(active):
        for member in active:
            if poll(member, seen):
                member.commit()
        return [len(member.assignment()) for member in active]

    members[0].subscribe([topic])
    wait_until(lambda: step(members[:1]) == [PARTITIONS] and len(seen) >= RECORDS, "one member reads all", STALL_SECONDS)
    # A consumer that waits for its join answer blocks; the other must go on polling meanwhile.
    members[1].subscribe([topic])
    half = PARTITIONS // 2
    wait_until(lambda: step(members) == [half, half], "two members share", STALL_SECONDS)
    together = [len(member.assignment()) for member in members]
    produce(topic, RECORDS)
    wait_until(lambda: step(members) and len(seen) >= 2 * RECORDS, "second records", STALL_SECONDS)
    members[1].close()
    wait_until(lambda: step(members[:1]) == [PARTITIONS], "one member is left", STALL_SECONDS)
    committed = sum(members[0].committed(TopicPartition(topic, partition)) for partition in range(PARTITIONS))
    members[0].close()
    return {"together": together, "delivered": len(seen), "distinct": len({record.value for record in seen}),
            "committed": committed}


def offsets():
    producer = KafkaProducer(bootstrap_servers=SERVER)
    for i in range(10):
        producer.send("kp-offsets", value=b"x", timestamp_ms=1_700_000_000_000 + i * 1000)
    producer.close()
    source = consumer()
    place = TopicPartition("kp-offsets", 0)
    found = {"earliest": source.beginning_offsets([place])[place], "latest": source.end_offsets([place])[place],
             "between": source.offsets_for_times({place: 1_700_000_004_500})[place].offset,
             "isAfterNone": source.offsets_for_times({place: 1_800_000_000_000})[place] is None}
    source.close()
    return found


def idempotent():
    sent = produce("kp-idempotent", RECORDS, enable_idempotence=True)
    return {"isInOrder": sent == list(range(RECORDS))}


print(json.dumps({"admin": admin(), "codecs": codecs(), "headers": headers(), "group": group(), "offsets": offsets(),
                  "idempotent": idempotent()}))
