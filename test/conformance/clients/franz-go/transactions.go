package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// transactions copies a topic in transactions, of which every third is aborted at first, then is fenced.
func transactions(ctx context.Context, seed string) map[string]any {
	const from, to, id = "go-original", "go-copy", "go-copier"
	setup := client(seed, kgo.DefaultProduceTopic(from))
	defer setup.Close()
	createTopic(ctx, setup, from, 1)
	createTopic(ctx, setup, to, partitionCount)
	produce(ctx, setup, recordCount)

	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(seed), kgo.TransactionalID(id), kgo.ConsumerGroup("go-copiers"),
		kgo.ConsumeTopics(from), kgo.DefaultProduceTopic(to), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(3000))
	must(err)
	defer session.Close()
	done, aborted, isAborting := 0, 0, false
	for done < recordCount {
		fetches := session.PollRecords(ctx, 40)
		must(fetches.Err0())
		if fetches.NumRecords() == 0 {
			continue
		}
		must(session.Begin())
		promise := kgo.AbortingFirstErrPromise(session.Client())
		fetches.EachRecord(func(r *kgo.Record) {
			session.Produce(ctx, &kgo.Record{Key: r.Key, Value: r.Value}, promise.Promise())
		})
		must(promise.Err())
		isAborting = !isAborting && done/40%3 == 1
		isCommitted, err := session.End(ctx, kgo.TransactionEndTry(!isAborting))
		must(err)
		if isCommitted {
			done += fetches.NumRecords()
		} else {
			aborted++
		}
	}
	committed := committedOffsets(ctx, setup, "go-copiers")
	copies, distinct := readAll(ctx, seed, to, recordCount, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	dirty, _ := readAll(ctx, seed, to, recordCount+1, kgo.FetchIsolationLevel(kgo.ReadUncommitted()))

	other := client(seed, kgo.TransactionalID(id), kgo.DefaultProduceTopic(to))
	defer other.Close()
	must(other.BeginTransaction())
	must(other.ProduceSync(ctx, &kgo.Record{Value: []byte("other")}).FirstErr())
	must(session.Begin())
	late := session.ProduceSync(ctx, &kgo.Record{Value: []byte("late")}).FirstErr()
	must(other.EndTransaction(ctx, kgo.TryAbort))
	return map[string]any{"copies": copies, "distinct": distinct, "committed": committed, "hasAborted": aborted > 0,
		"isDirtySeen": dirty > recordCount, "isFenced": isFenced(late)}
}

func isFenced(err error) bool {
	return errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced)
}

// readAll reads at least `count` records from the start of a topic, and what comes right behind them.
func readAll(ctx context.Context, seed, topic string, count int, level kgo.Opt) (int, int) {
	cl := client(seed, kgo.ConsumeTopics(topic), level, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	total, seen := 0, map[string]bool{}
	for total < count {
		fetches := cl.PollFetches(ctx)
		must(fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) {
			total++
			seen[fmt.Sprintf("%s %s", r.Key, r.Value)] = true
		})
	}
	return total, len(seen)
}
