// Reads a topic from its beginning with franz-go and prints what it got, a record a
// line: partition, offset, and the SHA-256 of the value ("null" without one).
//
//	readers CLIENT BROKERS TOPIC PARTITIONS RECORDS
//
// It ends after RECORDS records, or with the client's error.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

type printer struct {
	left int
}

func (p *printer) print(partition any, offset any, value []byte) {
	said := "null"
	if value != nil {
		said = fmt.Sprintf("%x", sha256.Sum256(value))
	}
	fmt.Println(partition, offset, said)
	if p.left--; p.left == 0 {
		os.Exit(0)
	}
}

func main() {
	broker, topic := os.Args[2], os.Args[3]
	records, err := strconv.Atoi(os.Args[5])
	check(err)
	readFranzGo(&printer{left: records}, broker, topic)
}

func readFranzGo(out *printer, broker, topic string) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	check(err)
	for {
		fetches := client.PollFetches(context.Background())
		fetches.EachError(func(_ string, _ int32, err error) { check(err) })
		fetches.EachRecord(func(one *kgo.Record) { out.print(one.Partition, one.Offset, one.Value) })
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
