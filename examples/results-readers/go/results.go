// Prints each check result of [results]: go run . BROKERS TOPIC
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Result has the fields that are needed here; unknown ones are ignored.
type Result struct {
	Target, Region, Status string
}

func main() {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: strings.Split(os.Args[1], ","), Topic: os.Args[2],
		GroupID: "results-go", StartOffset: kafka.FirstOffset,
	})
	for {
		message, err := reader.ReadMessage(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		// A control record has an empty value, hence no lines.
		for number, line := range bytes.Split(message.Value, []byte("\n")) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			var result Result
			err := json.Unmarshal(line, &result)
			if err == nil && result.Target == "" {
				err = errors.New("no result")
			}
			if err != nil {
				log.Printf("%d:%d line %d: %v", message.Partition, message.Offset, number, err)
				continue
			}
			fmt.Println(result.Target, result.Region, result.Status)
		}
	}
}
