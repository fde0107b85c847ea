"""confluent-kafka (librdkafka) works through what an application does and prints one JSON object of results."""

import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec
from confluent_kafka import ConsumerGroupTopicPartitions

BOOTSTRAP = {"bootstrap.servers": sys.argv[1]}
PARTITIONS = 4
RECORDS = 400
LIMIT_SECONDS = 60


def wait_until(step, what):
    """Repeats `step` until it returns something true."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        result = step()
        if result:
            return result
    raise TimeoutError(what)


def admin():
    client = AdminClient(BOOTSTRAP)
    client.create_topics([NewTopic("rd-admin", PARTITIONS, 1, config={"retention.ms": "60000"})])["rd-admin"].result()
    try:
        client.create_topics([NewTopic("rd-admin", PARTITIONS, 1)])["rd-admin"].result()
        again = "created"
    except KafkaException as error:
        again = error.args[0].name()
    resource = ConfigResource(ConfigResource.Type.TOPIC, "rd-admin")
    configs = client.describe_configs([resource])[resource].result()
    client.create_partitions([NewPartitions("rd-admin", 6)])["rd-admin"].result()
    partitions = wait_until(
        lambda: len(client.list_topics("rd-admin", timeout=10).topics["rd-admin"].partitions) == 6 and 6, "partitions")
    client.delete_topics(["rd-admin"])["rd-admin"].result()
    return {"createdAgain": again, "retention": configs["retention.ms"].value, "partitions": partitions,
            "brokers": len(client.list_topics(timeout=10).brokers)}


def produce(topic, count, **settings):
    failures = []
    producer = Producer({**BOOTSTRAP, "enable.idempotence": True, **settings})
    for i in range(count):
        text = f"record {i}, which has some text that a codec can make smaller"
        producer.produce(topic, key=str(i), value=text, on_delivery=lambda error, _: error and failures.append(str(error)))
        producer.poll(0)
    producer.flush(LIMIT_SECONDS)
    assert not failures, failures[0]


def consumer(group, **settings):
    wanted = {**BOOTSTRAP, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
              "session.timeout.ms": 10000, "heartbeat.interval.ms": 300, "fetch.wait.max.ms": 100, **settings}
    return Consumer({name: value for name, value in wanted.items() if value is not None})


def read(source, count):
    records = []

    def step():
        records.extend(record for record in source.consume(500, 0.2) if record.error() is None)
        return len(records) >= count

    wait_until(step, f"{count} records")
    return records


def codecs():
    counts = {}
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = f"rd-codec-{codec}"
        produce(topic, RECORDS, **{"compression.type": codec, "linger.ms": 20})
        source = consumer(f"rd-codec-{codec}")
        source.assign([TopicPartition(topic, 0, 0)])
        counts[codec] = len({record.value() for record in read(source, RECORDS)})
        source.close()
    return counts


def headers():
    producer = Producer(BOOTSTRAP)
    producer.produce("rd-headers", value=b"value", timestamp=1_700_000_000_123,
                     headers=[("a", b"1"), ("a", None), ("b", b"")])
    producer.flush(LIMIT_SECONDS)
    source = consumer("rd-headers")
    source.assign([TopicPartition("rd-headers", 0, 0)])
    record = read(source, 1)[0]
    source.close()
    return {"headers": [f"{name}={'null' if value is None else value.decode()}" for name, value in record.headers()],
            "hasKey": record.key() is not None, "timestamp": record.timestamp()[1]}


CLASSIC = {"partition.assignment.strategy": "cooperative-sticky"}
# The broker says how long sessions are and when to beat, and assigns (KIP-848).
KIP_848 = {"group.protocol": "consumer", "session.timeout.ms": None, "heartbeat.interval.ms": None}


def group(topic, name, pattern=None, settings=CLASSIC):
    client = AdminClient(BOOTSTRAP)
    client.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    produce(topic, RECORDS)
    members = [consumer(name, **settings) for _ in range(2)]
    seen = []

    def poll(active):
        for member in active:
            batch = [record for record in member.consume(500, 0.1) if record.error() is None]
            seen.extend(record.value() for record in batch)
            if batch:
                member.commit(asynchronous=False)
        return [len(member.assignment()) for member in active]

    members[0].subscribe([topic])
    wait_until(lambda: poll(members[:1]) == [PARTITIONS], "one member owns all")
    wait_until(lambda: poll(members[:1]) and len(seen) >= RECORDS, "first records")
    members[1].subscribe([pattern or topic])
    half = PARTITIONS // 2
    wait_until(lambda: poll(members) == [half, half], "two members share")
    together = [len(member.assignment()) for member in members]
    produce(topic, RECORDS)
    wait_until(lambda: poll(members) and len(seen) >= 2 * RECORDS, "second records")
    members[1].close()
    wait_until(lambda: poll(members[:1]) == [PARTITIONS], "one member is left")
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    committed = sum(place.offset for place in members[0].committed(places, timeout=10))
    members[0].close()
    described = client.describe_consumer_groups([name])[name].result()
    listed = client.list_consumer_groups().result()
    stored = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)])[name].result()
    client.delete_consumer_groups([name])[name].result()
    types = [item.type.name for item in listed.valid if item.group_id == name]
    return {"together": together, "delivered": len(seen), "distinct": len(set(seen)), "committed": committed,
            "state": described.state.name, "listed": types,
            "stored": sum(place.offset for place in stored.topic_partitions)}


def offsets():
    producer = Producer(BOOTSTRAP)
    for i in range(10):
        producer.produce("rd-offsets", value=b"x", timestamp=1_700_000_000_000 + i * 1000)
    producer.flush(LIMIT_SECONDS)
    client = AdminClient(BOOTSTRAP)
    place = TopicPartition("rd-offsets", 0)
    found = {}
    for name, spec in {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(),
                       "maxTimestamp": OffsetSpec.max_timestamp(),
                       "between": OffsetSpec.for_timestamp(1_700_000_004_500)}.items():
        found[name] = client.list_offsets({place: spec})[place].result().offset
    source = consumer("rd-offsets")
    low, high = source.get_watermark_offsets(place, timeout=10)
    after = source.offsets_for_times([TopicPartition("rd-offsets", 0, 1_800_000_000_000)], timeout=10)[0].offset
    source.close()
    client.delete_records([TopicPartition("rd-offsets", 0, 4)])[place].result()
    found["afterDelete"] = client.list_offsets({place: OffsetSpec.earliest()})[place].result().offset
    return {**found, "low": low, "high": high, "after": after}


def transactions():
    """Copies a topic in transactions, of which every third is aborted at first, then is fenced."""
    client = AdminClient(BOOTSTRAP)
    client.create_topics([NewTopic("rd-copy", PARTITIONS, 1)])["rd-copy"].result()
    produce("rd-original", RECORDS)
    producer = Producer({**BOOTSTRAP, "transactional.id": "rd-copier", "transaction.timeout.ms": 30000})
    producer.init_transactions(LIMIT_SECONDS)
    source = consumer("rd-copiers", **{"isolation.level": "read_committed"})
    source.subscribe(["rd-original"])
    done = aborted = 0
    is_aborting = False
    while done < RECORDS:
        records = [record for record in source.consume(40, 1) if record.error() is None]
        if not records:
            continue
        producer.begin_transaction()
        for record in records:
            producer.produce("rd-copy", key=record.key(), value=record.value())
        positions = source.position(source.assignment())
        producer.send_offsets_to_transaction(positions, source.consumer_group_metadata(), LIMIT_SECONDS)
        is_aborting = not is_aborting and done // 40 % 3 == 1
        if is_aborting:
            producer.abort_transaction(LIMIT_SECONDS)
            aborted += 1
            for place in source.committed(source.assignment(), LIMIT_SECONDS):
                source.seek(place)
        else:
            producer.commit_transaction(LIMIT_SECONDS)
            done += len(records)
    committed = source.committed([TopicPartition("rd-original", 0)], LIMIT_SECONDS)[0].offset
    source.close()
    places = [TopicPartition("rd-copy", partition, 0) for partition in range(PARTITIONS)]
    reader = consumer("rd-copy-readers", **{"isolation.level": "read_committed"})
    reader.assign(places)
    copies = read(reader, RECORDS)
    copies += [record for record in reader.consume(500, 1) if record.error() is None]
    reader.close()
    everything = consumer("rd-copy-readers", **{"isolation.level": "read_uncommitted"})
    everything.assign(places)
    dirty = read(everything, RECORDS + 1)
    everything.close()
    other = Producer({**BOOTSTRAP, "transactional.id": "rd-copier"})
    other.init_transactions(LIMIT_SECONDS)
    try:
        producer.begin_transaction()
        producer.produce("rd-copy", value=b"late")
        producer.commit_transaction(LIMIT_SECONDS)
        fenced = "committed"
    except KafkaException as error:
        fenced = error.args[0].name()
    return {"copies": len(copies), "distinct": len({record.value() for record in copies}), "committed": committed,
            "hasAborted": aborted > 0, "isDirtySeen": len(dirty) > RECORDS, "fenced": fenced}


print(json.dumps({"transactions": transactions(), "admin": admin(), "codecs": codecs(), "headers": headers(), "group": group("rd-group", "rd-readers"),
    "consumerGroup": group("rd-new-group", "rd-new-readers", "^rd-new-gr.*", KIP_848), "offsets": offsets()}))
