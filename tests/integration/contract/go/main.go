// Decodes each line of standard input, {"type": …, "json": …}, by the types that quicktype made, and
// writes what it has read as JSON, one a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"example.org/contract/incidents"
	"example.org/contract/results"
	"example.org/contract/targets"
	"example.org/contract/webhook"
)

type line struct {
	Type string `json:"type"`
	JSON string `json:"json"`
}

func read(one line) (any, error) {
	data := []byte(one.JSON)
	switch one.Type {
	case "IncidentEvent":
		event, err := incidents.UnmarshalIncidentEvent(data)
		for _, region := range event.Regions {
			if region.Verdict == "" {
				return nil, fmt.Errorf("no verdict in %s", event.IncidentID)
			}
		}
		return event, err
	case "RegionEvent":
		return incidents.UnmarshalRegionEvent(data)
	case "TargetsEvent":
		return incidents.UnmarshalTargetsEvent(data)
	case "CheckResult":
		return results.UnmarshalCheckResult(data)
	case "Target":
		return targets.UnmarshalTarget(data)
	case "WebhookData":
		return webhook.UnmarshalWebhookData(data)
	}
	return nil, fmt.Errorf("no type %q", one.Type)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one line
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			log.Fatal(err)
		}
		value, err := read(one)
		if err != nil {
			log.Fatalf("%s: %v", one.Type, err)
		}
		again, err := json.Marshal(value)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(again))
	}
}
