// A franz-go client that works through what an application does and prints one JSON object of results.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	partitionCount = 4
	recordCount    = 400
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: client HOST:PORT"))
	}
	seed := os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	results := map[string]any{
		"admin":        admin(ctx, seed),
		"codecs":       compression(ctx, seed),
		"headers":      headers(ctx, seed),
		"group":        group(ctx, seed),
		"offsets":      offsets(ctx, seed),
		"pipelined":    pipelined(ctx, seed),
		"transactions": transactions(ctx, seed),
	}
	out, err := json.Marshal(results)
	must(err)
	fmt.Println(string(out))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func client(seed string, opts ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(seed)}, opts...)...)
	must(err)
	return cl
}

func createTopic(ctx context.Context, cl *kgo.Client, name string, partitions int32) int16 {
	req := kmsg.NewCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, cl)
	must(err)
	return resp.Topics[0].ErrorCode
}

// admin creates a topic twice, looks at it and deletes it.
func admin(ctx context.Context, seed string) map[string]any {
	cl := client(seed)
	defer cl.Close()
	first := createTopic(ctx, cl, "go-admin", partitionCount)
	second := createTopic(ctx, cl, "go-admin", partitionCount)

	describe := kmsg.NewDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "go-admin"
	describe.Resources = append(describe.Resources, resource)
	configs, err := describe.RequestWith(ctx, cl)
	must(err)

	remove := kmsg.NewDeleteTopicsRequest()
	target := kmsg.NewDeleteTopicsRequestTopic()
	target.Topic = kmsg.StringPtr("go-admin")
	remove.Topics, remove.TopicNames = append(remove.Topics, target), []string{"go-admin"}
	removed, err := remove.RequestWith(ctx, cl)
	must(err)
	return map[string]any{
		"created":      first,
		"createdAgain": kerr.TypedErrorForCode(second).Message,
		"configCount":  len(configs.Resources[0].Configs),
		"deleted":      removed.Topics[0].ErrorCode,
	}
}

// compression sends records with each codec, idempotently, and reads them back.
func compression(ctx context.Context, seed string) map[string]int {
	counts := map[string]int{}
	for name, codec := range codecs {
		topic := "go-codec-" + name
		cl := client(seed, kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic),
			kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics(topic),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		produce(ctx, cl, recordCount)
		seen := map[string]bool{}
		for len(seen) < recordCount {
			fetches := cl.PollFetches(ctx)
			must(fetches.Err0())
			fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
		}
		counts[name] = len(seen)
		cl.Close()
	}
	return counts
}

func produce(ctx context.Context, cl *kgo.Client, count int) {
	records := make([]*kgo.Record, count)
	for i := range records {
		text := fmt.Sprintf("record %d, which has some text that a codec can make smaller", i)
		records[i] = &kgo.Record{Key: []byte(fmt.Sprint(i)), Value: []byte(text)}
	}
	must(cl.ProduceSync(ctx, records...).FirstErr())
}

// headers sends a record with headers, a null key and a time, and tells what comes back.
func headers(ctx context.Context, seed string) map[string]any {
	const topic = "go-headers"
	cl := client(seed, kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	sent := &kgo.Record{Value: []byte("value"), Timestamp: time.UnixMilli(1_700_000_000_123),
		Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "b", Value: []byte{}}}}
	must(cl.ProduceSync(ctx, sent).FirstErr())
	for {
		fetches := cl.PollFetches(ctx)
		must(fetches.Err0())
		for _, r := range fetches.Records() {
			list := []string{}
			for _, h := range r.Headers {
				value := string(h.Value)
				if h.Value == nil {
					value = "null"
				}
				list = append(list, h.Key+"="+value)
			}
			return map[string]any{"headers": list, "hasKey": r.Key != nil, "timestamp": r.Timestamp.UnixMilli()}
		}
	}
}

// group lets a second member join and leave, and follows who owns how many partitions.
func group(ctx context.Context, seed string) map[string]any {
	const topic, name = "go-group", "go-readers"
	setup := client(seed, kgo.DefaultProduceTopic(topic))
	createTopic(ctx, setup, topic, partitionCount)
	produce(ctx, setup, recordCount)

	seen := map[string]int{}
	owned := make([]chan int, 2)
	member := func(index int) *kgo.Client {
		owned[index] = make(chan int, 100)
		mine := map[int32]bool{}
		update := func(isOwner bool) func(context.Context, *kgo.Client, map[string][]int32) {
			return func(_ context.Context, _ *kgo.Client, lists map[string][]int32) {
				for _, partition := range lists[topic] {
					if isOwner {
						mine[partition] = true
					} else {
						delete(mine, partition)
					}
				}
				owned[index] <- len(mine)
			}
		}
		return client(seed, kgo.ConsumerGroup(name), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(200*time.Millisecond),
			kgo.OnPartitionsAssigned(update(true)), kgo.OnPartitionsRevoked(update(false)), kgo.OnPartitionsLost(update(false)))
	}
	poll := func(cl *kgo.Client) {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		fetches := cl.PollFetches(short)
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Key)]++ })
		must(cl.CommitUncommittedOffsets(ctx))
	}
	counts := []int{0, 0}
	settle := func(wanted []int, members ...*kgo.Client) {
		for counts[0] != wanted[0] || counts[1] != wanted[1] {
			must(ctx.Err())
			for i, cl := range members {
				poll(cl)
				for len(owned[i]) > 0 {
					counts[i] = <-owned[i]
				}
			}
		}
	}
	first := member(0)
	settle([]int{partitionCount, 0}, first)
	for len(seen) < recordCount {
		must(ctx.Err())
		poll(first)
	}
	second := member(1)
	settle([]int{partitionCount / 2, partitionCount / 2}, first, second)
	together := []int{counts[0], counts[1]}
	produce(ctx, setup, recordCount)
	total := func() (sum int) {
		for _, count := range seen {
			sum += count
		}
		return sum
	}
	for total() < 2*recordCount {
		must(ctx.Err())
		poll(first)
		poll(second)
	}
	must(second.CommitUncommittedOffsets(ctx))
	second.Close()
	counts[1] = 0
	settle([]int{partitionCount, 0}, first)
	alone := counts[0]
	committed := committedOffsets(ctx, setup, name)
	first.Close()
	setup.Close()
	return map[string]any{"together": together, "alone": alone, "delivered": total(), "distinct": len(seen),
		"committed": committed}
}

func committedOffsets(ctx context.Context, cl *kgo.Client, group string) int64 {
	req := kmsg.NewOffsetFetchRequest()
	req.Group = group
	item := kmsg.NewOffsetFetchRequestGroup()
	item.Group = group
	req.Groups = append(req.Groups, item)
	resp, err := req.RequestWith(ctx, cl)
	must(err)
	var sum int64
	for _, topic := range resp.Groups[0].Topics {
		for _, partition := range topic.Partitions {
			sum += partition.Offset
		}
	}
	return sum
}

// offsets asks for the first, the last and the offset at a time.
func offsets(ctx context.Context, seed string) map[string]int64 {
	const topic = "go-offsets"
	cl := client(seed, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	createTopic(ctx, cl, topic, 1)
	for i := range int64(10) {
		must(cl.ProduceSync(ctx, &kgo.Record{Value: []byte("x"), Timestamp: time.UnixMilli(1_700_000_000_000 + i*1000)}).FirstErr())
	}
	at := func(timestamp int64) int64 {
		req := kmsg.NewListOffsetsRequest()
		req.ReplicaID = -1
		item := kmsg.NewListOffsetsRequestTopic()
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Timestamp = timestamp
		item.Topic, item.Partitions = topic, append(item.Partitions, partition)
		req.Topics = append(req.Topics, item)
		resp, err := req.RequestWith(ctx, cl)
		must(err)
		must(kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode))
		return resp.Topics[0].Partitions[0].Offset
	}
	return map[string]int64{"earliest": at(-2), "latest": at(-1), "maxTimestamp": at(-3),
		"between": at(1_700_000_004_500), "after": at(1_800_000_000_000)}
}

// pipelined keeps many small idempotent batches in flight and checks that their order is kept.
func pipelined(ctx context.Context, seed string) map[string]any {
	const topic = "go-pipelined"
	cl := client(seed, kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation(), kgo.MaxBufferedRecords(1000),
		kgo.ProducerBatchMaxBytes(600), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	produce(ctx, cl, 1000)
	order := []int{}
	for len(order) < 1000 {
		fetches := cl.PollFetches(ctx)
		must(fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			var i int
			_, err := fmt.Sscan(string(r.Key), &i)
			must(err)
			order = append(order, i)
		})
	}
	return map[string]any{"count": len(order), "isInOrder": sort.IntsAreSorted(order)}
}
