// Reads lines of JSON, each an endpoint's conditions and an answer of HTTP, and writes for each
// whether Gatus itself takes the endpoint for healthy: true, false, or invalid.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/TwiN/gatus/v5/client"
	"github.com/TwiN/gatus/v5/config/endpoint"
)

type question struct {
	Conditions []endpoint.Condition `json:"conditions"`
	Status     int                  `json:"status"`
	Body       string               `json:"body"`
	Refused    bool                 `json:"refused"`
}

type answers struct{ to question }

func (answers *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	if answers.to.Refused {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: answers.to.Status,
		Body:       io.NopCloser(strings.NewReader(answers.to.Body)),
		Header:     http.Header{},
		Request:    request,
	}, nil
}

func main() {
	server := &answers{}
	client.InjectHTTPClient(&http.Client{Transport: server})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &server.to); err != nil {
			panic(err)
		}
		asked := &endpoint.Endpoint{Name: "a", URL: "http://example.org/", Conditions: server.to.Conditions}
		if asked.ValidateAndSetDefaults() != nil {
			fmt.Println("invalid")
			continue
		}
		fmt.Println(asked.EvaluateHealth().Success)
	}
}
