// Subscribes to incidents: prints a line an event, and keeps what is open in a bbolt file.
//
//	go build -o subscriber . && ./subscriber SERVERS STATE.db
//
// Environment: TOPIC_PREFIX (portquorum), GROUP (my-service), KAFKA_USERNAME, KAFKA_PASSWORD,
// KAFKA_SASL_MECHANISM (PLAIN alone), KAFKA_TLS=1, KAFKA_CA (a PEM file; means TLS).
//
// Events are read and validated by the CloudEvents SDK.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/IBM/sarama"
	"github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	bolt "go.etcd.io/bbolt"
)

// [incidents.open] may be behind [incidents] by this much.
const overlap = 10 * time.Minute

var (
	group     = env("GROUP", "my-service")
	incidents = env("TOPIC_PREFIX", "portquorum") + ".incidents"
	openTopic = incidents + ".open"

	// Each type that this program knows, whole: what a later v2 brings is another type.
	types = regexp.MustCompile(`^portquorum\.(?:incident\.(opened|updated|improved|worsened|closed)|` +
		`(region\.(?:silent|returned|suspect|cleared|clock_skewed|secrets_missing|secrets_found)|` +
		`targets\.(?:unwatched|watched)))\.v1$`)
	anID    = regexp.MustCompile(`^[!-~]{1,200}$`)
	control = regexp.MustCompile(`[\x00-\x1f\x7f-\x{9f}]`)

	handledBucket, statesBucket, settings = []byte("handled"), []byte("states"), []byte("settings")
)

// What this program needs of a value; unknown fields are ignored.
type body struct {
	IncidentID string  `json:"incident_id"`
	Region     string  `json:"region"`
	Partition  *uint32 `json:"partition"`
	Host       *string `json:"host"`
	Port       *int    `json:"port"`
	At         *int64  `json:"at"`
	Summary    *string `json:"summary"`
	Regions    map[string]struct {
		Verdict string `json:"verdict"`
	} `json:"regions"`
}

type event struct {
	id, word, line string
	about          string // the state that it replaces
	at             int64
	json           []byte
}

type state struct {
	ID    string          `json:"id"`
	At    int64           `json:"at"`
	Open  bool            `json:"open"`
	Event json.RawMessage `json:"event"`
}

// read gives the event; nil for a type that this program doesn't know; an error if it can't be read.
func read(message *sarama.ConsumerMessage) (*event, error) {
	cloud, err := binding.ToEvent(context.Background(), kafka_sarama.NewMessageFromConsumerMessage(message))
	if err != nil {
		return nil, err
	}
	if err := cloud.Validate(); err != nil {
		return nil, err
	}
	kind := types.FindStringSubmatch(cloud.Type())
	if kind == nil {
		return nil, nil
	}
	if !utf8.Valid(cloud.Data()) {
		return nil, errors.New("not UTF-8")
	}
	var body body
	if err := cloud.DataAs(&body); err != nil {
		return nil, err
	}
	isIncident := kind[1] != ""
	if body.At == nil || body.Summary == nil || isIncident && (body.IncidentID == "" || body.Regions == nil) {
		return nil, errors.New("no at, summary, incident_id or regions")
	}
	if !anID.MatchString(cloud.ID()) || isIncident && !anID.MatchString(body.IncidentID) {
		return nil, errors.New("an id is too long or no ASCII")
	}
	word := kind[1] + kind[2]
	state, err := about(word, cloud.ID(), &body)
	if err != nil {
		return nil, err
	}
	place := cloud.Subject()
	if body.Host != nil && body.Port != nil {
		place = fmt.Sprintf("%s:%d", *body.Host, *body.Port)
	}
	var down []string
	for name, region := range body.Regions {
		if region.Verdict == "down" {
			down = append(down, name)
		}
	}
	sort.Strings(down)
	if down == nil {
		down = []string{"-"}
	}
	line := fmt.Sprintf("%s %s %s [%s]", place, strings.Join(down, ","), *body.Summary, cloud.ID())
	return &event{
		id: cloud.ID(), word: word, about: state, at: *body.At,
		// Whatever a server said may be in it: no control character reaches the terminal.
		line: control.ReplaceAllString(line, " "), json: cloud.Data(),
	}, nil
}

// about names the state that an event replaces: its incident, a partition's targets, or a region's.
func about(word, id string, body *body) (string, error) {
	switch {
	case strings.HasPrefix(word, "targets."):
		if body.Partition == nil {
			return "", errors.New("no partition")
		}
		return fmt.Sprintf("unwatched/%d", *body.Partition), nil
	case word == "region.clock_skewed": // nothing ends it: it is no state
		return id, nil
	case strings.HasPrefix(word, "region."):
		if !anID.MatchString(body.Region) {
			return "", errors.New("no region")
		}
		if word == "region.silent" || word == "region.returned" {
			return "silent/" + body.Region, nil
		}
		if word == "region.secrets_missing" || word == "region.secrets_found" {
			return "secrets/" + body.Region, nil
		}
		return "suspect/" + body.Region, nil
	}
	return body.IncidentID, nil
}

// isOpen says whether the state of an event holds.
func isOpen(word string) bool {
	switch word {
	case "closed", "region.returned", "region.cleared", "region.clock_skewed", "region.secrets_found",
		"targets.watched":
		return false
	}
	return true
}

func readOrSkip(message *sarama.ConsumerMessage) *event {
	found, err := read(message)
	if err != nil {
		why := control.ReplaceAllString(err.Error(), " ")
		log.Printf("skipped %s/%d@%d: %.120s", message.Topic, message.Partition, message.Offset, why)
	}
	return found
}

type service struct {
	db *bolt.DB
}

// take stores the event's id, and its state unless an `at` there is larger; whether it was news.
func take(tx *bolt.Tx, one *event) (bool, error) {
	done, states := tx.Bucket(handledBucket), tx.Bucket(statesBucket)
	if done.Get([]byte(one.id)) != nil {
		return false, nil
	}
	if err := done.Put([]byte(one.id), []byte(fmt.Sprint(one.at))); err != nil {
		return false, err
	}
	if value := states.Get([]byte(one.about)); value != nil {
		var known state
		if err := json.Unmarshal(value, &known); err != nil {
			return false, err
		}
		if one.at < known.At {
			return false, nil
		}
	}
	value, err := json.Marshal(state{one.id, one.at, isOpen(one.word), one.json})
	if err != nil {
		return false, err
	}
	return true, states.Put([]byte(one.about), value)
}

// handle does the event's work and remembers its id, in one transaction: in effect exactly once.
func (s *service) handle(one *event) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		news, err := take(tx, one)
		if news && err == nil {
			// Your work. If it is a call of another service, give it ce_id as idempotency key.
			fmt.Println(one.word, one.line)
		}
		return err
	})
}

// bootstrap takes what is open now from [incidents.open], and sets the group's first offsets of
// [incidents]. The offsets are taken first, so that nothing falls between the two topics.
func (s *service) bootstrap(ctx context.Context, client sarama.Client) error {
	if err := commitStart(ctx, client); err != nil {
		return err
	}
	newest := map[string]*event{}
	err := readTable(ctx, client, func(message *sarama.ConsumerMessage) {
		if message.Value == nil {
			delete(newest, string(message.Key))
		} else if one := readOrSkip(message); one != nil { // else the older one stays
			newest[string(message.Key)] = one
		}
	})
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, one := range newest {
			news, err := take(tx, one)
			if err != nil {
				return err
			}
			if news {
				fmt.Println("open", one.line)
			}
		}
		return tx.Bucket(settings).Put([]byte("bootstrapped"), []byte("1"))
	})
}

func commitStart(ctx context.Context, client sarama.Client) error {
	partitions, err := client.Partitions(incidents)
	if err != nil {
		return fmt.Errorf("%s: %w", incidents, err)
	}
	// The ends first: what is written between the two requests must not be left out.
	ends := map[int32]int64{}
	for _, partition := range partitions {
		if ends[partition], err = client.GetOffset(incidents, partition, sarama.OffsetNewest); err != nil {
			return err
		}
	}
	begin := time.Now().Add(-overlap).UnixMilli()
	request := &sarama.OffsetCommitRequest{
		Version: 2, ConsumerGroup: group, ConsumerGroupGeneration: sarama.GroupGenerationUndefined,
		RetentionTime: -1, // the broker's
	}
	for _, partition := range partitions {
		offset, err := client.GetOffset(incidents, partition, begin)
		if err != nil {
			return err
		}
		if offset < 0 || offset > ends[partition] { // nothing is that young
			offset = ends[partition]
		}
		request.AddBlock(incidents, partition, offset, 0, "")
	}
	for {
		err := commit(client, request)
		switch {
		case errors.Is(err, sarama.ErrUnknownMemberId), errors.Is(err, sarama.ErrIllegalGeneration),
			errors.Is(err, sarama.ErrRebalanceInProgress):
			// One that was killed stays a member for some seconds.
			log.Printf("waits: the group %s still has a member", group)
		case errors.Is(err, sarama.ErrOffsetsLoadInProgress),
			errors.Is(err, sarama.ErrNotCoordinatorForConsumer),
			errors.Is(err, sarama.ErrConsumerCoordinatorNotAvailable):
			// The broker that keeps the group's offsets has just begun to, or another one does now.
			log.Printf("waits: the group %s has no coordinator yet", group)
		default:
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func commit(client sarama.Client, request *sarama.OffsetCommitRequest) error {
	if err := client.RefreshCoordinator(group); err != nil {
		return err
	}
	broker, err := client.Coordinator(group)
	if err != nil {
		return err
	}
	response, err := broker.CommitOffset(request)
	if err != nil {
		return err
	}
	for _, partitions := range response.Errors {
		for _, code := range partitions {
			if code != sarama.ErrNoError {
				return code
			}
		}
	}
	return nil
}

// readTable reads [incidents.open] from its beginning to its end of now. sarama tells no position; but
// Kafka's cleaner leaves the newest segment alone, so that the last message before the end is there.
func readTable(ctx context.Context, client sarama.Client, take func(*sarama.ConsumerMessage)) error {
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	partitions, err := client.Partitions(openTopic)
	if err != nil {
		return fmt.Errorf("%s: %w", openTopic, err)
	}
	for _, partition := range partitions {
		begin, err := client.GetOffset(openTopic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		end, err := client.GetOffset(openTopic, partition, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if begin == end {
			continue
		}
		reader, err := consumer.ConsumePartition(openTopic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		for next := begin; next < end; {
			select {
			case message := <-reader.Messages():
				take(message)
				next = message.Offset + 1
			case err := <-reader.Errors():
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		reader.AsyncClose()
	}
	return nil
}

func (s *service) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (s *service) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (s *service) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, more := <-claim.Messages():
			if !more {
				return nil
			}
			if one := readOrSkip(message); one != nil {
				if err := s.handle(one); err != nil {
					// Not done, so not marked. The process ends, and its next start takes it up again.
					log.Fatal(err)
				}
			}
			session.MarkMessage(message, "") // only what is done is committed
		case <-session.Context().Done():
			return nil
		}
	}
}

func run(ctx context.Context, servers, path string) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer db.Close()
	bootstrapped := false
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{handledBucket, statesBucket, settings} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		bootstrapped = tx.Bucket(settings).Get([]byte("bootstrapped")) != nil
		return nil
	})
	if err != nil {
		return err
	}
	config, err := connection()
	if err != nil {
		return err
	}
	client, err := sarama.NewClient(strings.Split(servers, ","), config)
	if err != nil {
		return err
	}
	defer client.Close()
	s := &service{db}
	if !bootstrapped {
		if err := s.bootstrap(ctx, client); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if ctx.Err() == nil {
		consumer, err := sarama.NewConsumerGroupFromClient(group, client)
		if err != nil {
			return err
		}
		go func() {
			for err := range consumer.Errors() {
				log.Print(err)
			}
		}()
		for ctx.Err() == nil { // Consume ends at each rebalance
			err := consumer.Consume(ctx, []string{incidents}, s)
			if errors.Is(err, sarama.ErrOutOfBrokers) { // Kafka is away
				log.Print(err)
				select {
				case <-time.After(5 * time.Second):
				case <-ctx.Done():
				}
			} else if err != nil && ctx.Err() == nil {
				return err
			}
		}
		if err := consumer.Close(); err != nil {
			log.Print(err) // what is not committed comes again, and is known
		}
	}
	return db.View(func(tx *bolt.Tx) error {
		words := []any{"handled", tx.Bucket(handledBucket).Stats().KeyN, "open"}
		err := tx.Bucket(statesBucket).ForEach(func(id, value []byte) error {
			var known state
			err := json.Unmarshal(value, &known)
			if known.Open {
				words = append(words, string(id))
			}
			return err
		})
		fmt.Println(words...)
		return err
	})
}

func connection() (*sarama.Config, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.ClientID = group
	config.Consumer.Return.Errors = true
	config.Consumer.Group.Session.Timeout = 10 * time.Second // so long after kill -9 a restart waits
	config.Consumer.Offsets.Initial = sarama.OffsetOldest    // a lost offset costs time, never an event
	if file := os.Getenv("KAFKA_CA"); file != "" || os.Getenv("KAFKA_TLS") != "" {
		config.Net.TLS.Enable = true
		config.Net.TLS.Config = &tls.Config{MinVersion: tls.VersionTLS12}
		if file != "" {
			pem, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			config.Net.TLS.Config.RootCAs = x509.NewCertPool()
			if !config.Net.TLS.Config.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("%s has no certificate", file)
			}
		}
	}
	if user := os.Getenv("KAFKA_USERNAME"); user != "" {
		if mechanism := env("KAFKA_SASL_MECHANISM", "PLAIN"); mechanism != "PLAIN" {
			return nil, fmt.Errorf("%s: sarama needs a SCRAM client of yours (xdg-go/scram)", mechanism)
		}
		config.Net.SASL.Enable = true
		config.Net.SASL.User = user
		config.Net.SASL.Password = os.Getenv("KAFKA_PASSWORD")
	}
	return config, nil
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("subscriber SERVERS STATE.db")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
