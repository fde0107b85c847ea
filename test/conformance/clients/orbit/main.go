// Publishes batches with the helpers that nats.go has for them, and prints what came of each.
// Arguments: the address of a server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const fastCount = 5000

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	connection, err := nats.Connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: "BATCHES", Subjects: []string{"batches.>"},
		AllowAtomicPublish: true, AllowDirect: true, AllowMsgTTL: true,
	})
	if err != nil {
		return err
	}
	if err := atomic(ctx, js); err != nil {
		return err
	}
	// The configuration of nats.go does not know of fast batches.
	body := `{"name":"FAST","subjects":["fast.>"],"allow_batched":true}`
	if _, err := connection.Request("$JS.API.STREAM.CREATE.FAST", []byte(body), 5*time.Second); err != nil {
		return err
	}
	if err := fast(ctx, js); err != nil {
		return err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return err
	}
	fmt.Println("atomic messages", info.State.Msgs)
	other, err := js.Stream(ctx, "FAST")
	if err != nil {
		return err
	}
	if info, err = other.Info(ctx); err != nil {
		return err
	}
	fmt.Println("fast messages", info.State.Msgs)
	return nil
}

func atomic(ctx context.Context, js jetstream.JetStream) error {
	batch, err := jetstreamext.NewBatchPublisher(js, jetstreamext.BatchFlowControl{
		AckFirst: true, AckEvery: 2, AckTimeout: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	for i := 0; i < 9; i++ {
		if err := batch.Add(fmt.Sprintf("batches.%d", i), []byte("added"), jetstreamext.WithBatchMsgTTL(time.Hour)); err != nil {
			return err
		}
	}
	show("commit")(batch.Commit(ctx, "batches.last", []byte("committed")))
	show("closed")(batch.Commit(ctx, "batches.last", nil))

	refused, err := jetstreamext.NewBatchPublisher(js)
	if err != nil {
		return err
	}
	if err := refused.Add("batches.0", nil, jetstreamext.WithBatchExpectLastSequencePerSubject(9)); err != nil {
		return err
	}
	show("expected")(refused.Commit(ctx, "batches.1", nil))

	messages := make([]*nats.Msg, 1000)
	for i := range messages {
		messages[i] = nats.NewMsg("batches.many")
		messages[i].Data = []byte(strings.Repeat("x", 100))
	}
	show("thousand")(jetstreamext.PublishMsgBatch(ctx, js, messages))
	messages = append(messages, nats.NewMsg("batches.many"))
	show("more")(jetstreamext.PublishMsgBatch(ctx, js, messages))
	return nil
}

func fast(ctx context.Context, js jetstream.JetStream) error {
	publisher, err := jetstreamext.NewFastPublisher(js, jetstreamext.FastPublishFlowControl{
		Flow: 50, MaxOutstandingAcks: 4, AckTimeout: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	for i := 0; i < fastCount; i++ {
		if _, err := publisher.Add("fast.a", []byte(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	show("fast")(publisher.Commit(ctx, "fast.last", []byte("committed")))

	closed, err := jetstreamext.NewFastPublisher(js)
	if err != nil {
		return err
	}
	if _, err := closed.Add("fast.a", nil); err != nil {
		return err
	}
	show("end")(closed.Close(ctx))

	refused, err := jetstreamext.NewFastPublisher(js)
	if err != nil {
		return err
	}
	_, err = refused.Add("fast.a", nil, jetstreamext.WithBatchExpectLastSequence(7))
	fmt.Println("first refused", codeOf(err))
	return nil
}

func show(name string) func(*jetstreamext.BatchAck, error) {
	return func(ack *jetstreamext.BatchAck, err error) {
		if err != nil {
			fmt.Println(name, "refused", codeOf(err))
			return
		}
		fmt.Println(name, ack.Stream, ack.Sequence, ack.BatchSize, ack.BatchID != "")
	}
}

func codeOf(err error) string {
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) {
		return fmt.Sprint(refusal.ErrorCode)
	}
	return fmt.Sprint(err)
}
