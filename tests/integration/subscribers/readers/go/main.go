// Reads a topic from its beginning with one of Go's clients and prints what it got, a record a
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
	"sync"

	"github.com/IBM/sarama"
	"github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/segmentio/kafka-go"
)

type printer struct {
	mutex sync.Mutex
	left  int
}

func (p *printer) print(partition any, offset any, value []byte) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
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
	client, broker, topic := os.Args[1], os.Args[2], os.Args[3]
	partitions, err := strconv.Atoi(os.Args[4])
	check(err)
	records, err := strconv.Atoi(os.Args[5])
	check(err)
	out := &printer{left: records}
	switch client {
	case "kafka-go":
		for number := range partitions {
			go readKafkaGo(out, broker, topic, number)
		}
		select {}
	case "sarama":
		for number := range partitions {
			go readSarama(out, broker, topic, int32(number))
		}
		select {}
	case "cloudevents":
		readCloudEvents(out, broker, topic)
	default:
		log.Fatalf("unknown client %q", client)
	}
}

func readKafkaGo(out *printer, broker, topic string, partition int) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{broker}, Topic: topic, Partition: partition, MaxBytes: 10e6,
	})
	for {
		message, err := reader.ReadMessage(context.Background())
		check(err)
		out.print(message.Partition, message.Offset, message.Value)
	}
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Return.Errors = true
	return config
}

func readSarama(out *printer, broker, topic string, partition int32) {
	consumer, err := sarama.NewConsumer([]string{broker}, settings())
	check(err)
	reader, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
	check(err)
	for {
		select {
		case one := <-reader.Messages():
			out.print(one.Partition, one.Offset, one.Value)
		case err := <-reader.Errors():
			check(err)
		}
	}
}

func readCloudEvents(out *printer, broker, topic string) {
	config := settings()
	config.Consumer.Return.Errors = false
	sarama.Logger = log.New(os.Stderr, "sarama ", 0)
	protocol, err := kafka_sarama.NewConsumer([]string{broker}, config, "readers."+topic, topic)
	check(err)
	client, err := cloudevents.NewClient(protocol)
	check(err)
	check(client.StartReceiver(context.Background(), func(event cloudevents.Event) {
		check(event.Validate())
		out.print("-", "-", event.Data())
	}))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
