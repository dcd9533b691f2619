// Servers written in Go, one by its name: wide NAME PORT SECURE CERT KEY. They run until they are ended.
package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"
	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
	"github.com/gliderlabs/ssh"
	"github.com/gorilla/websocket"
	"github.com/miekg/dns"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	nats "github.com/nats-io/nats-server/v2/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	name, port, secure := os.Args[1], "127.0.0.1:"+os.Args[2], "127.0.0.1:"+os.Args[3]
	pair, err := tls.LoadX509KeyPair(os.Args[4], os.Args[5])
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	servers := map[string]func() error{
		"dns":       func() error { return runDNS(port) },
		"grpc":      func() error { return runGRPC(port, secure, config) },
		"imap":      func() error { return runIMAP(port, secure, config) },
		"miniredis": func() error { return miniredis.NewMiniRedis().StartAddr(port) },
		"mqtt":      func() error { return runMQTT(port, secure, config) },
		"mysql":     func() error { return runMySQL(port, config) },
		"nats":      func() error { return runNATS(os.Args[2], os.Args[3], config) },
		"smtp":      func() error { return runSMTP(port, secure, config) },
		"ssh":       func() error { return ssh.ListenAndServe(port, nil) },
		"websocket": func() error { return runWebSocket(port, secure, config) },
	}
	if err := servers[name](); err != nil {
		log.Fatal(err)
	}
	select {}
}

func runDNS(port string) error {
	dns.HandleFunc(".", func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(asked)
		if question := asked.Question[0]; question.Qtype == dns.TypeA {
			record, _ := dns.NewRR(question.Name + " 60 A 192.0.2.7")
			answer.Answer = append(answer.Answer, record)
		}
		w.WriteMsg(answer)
	})
	go dns.ListenAndServe(port, "udp", nil)
	return dns.ListenAndServe(port, "tcp", nil)
}

func runGRPC(port, secure string, config *tls.Config) error {
	serve := func(address string, options ...grpc.ServerOption) error {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		made := grpc.NewServer(options...)
		healthpb.RegisterHealthServer(made, health.NewServer())
		return made.Serve(listener)
	}
	go serve(secure, grpc.Creds(credentials.NewTLS(config)))
	return serve(port)
}

func runIMAP(port, secure string, config *tls.Config) error {
	memory := imapmemserver.New()
	made := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps:      imap.CapSet{imap.CapIMAP4rev1: {}},
		TLSConfig: config,
	})
	go made.ListenAndServeTLS(secure)
	return made.ListenAndServe(port)
}

func runMQTT(port, secure string, config *tls.Config) error {
	made := mqtt.New(nil)
	if err := made.AddHook(new(auth.AllowHook), nil); err != nil {
		return err
	}
	if err := made.AddListener(listeners.NewTCP(listeners.Config{ID: "plain", Address: port})); err != nil {
		return err
	}
	over := listeners.Config{ID: "tls", Address: secure, TLSConfig: config}
	if err := made.AddListener(listeners.NewTCP(over)); err != nil {
		return err
	}
	return made.Serve()
}

func runMySQL(port string, config *tls.Config) error {
	provider := memory.NewDBProvider(memory.NewDatabase("test"))
	engine := sqle.NewDefault(provider)
	made, err := server.NewServer(
		server.Config{Protocol: "tcp", Address: port, TLSConfig: config},
		engine, sql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		return err
	}
	return made.Start()
}

// The first waits for a client's TLS for a moment before it says INFO, the second as long as it takes.
func runNATS(port, secure string, config *tls.Config) error {
	waits := map[string]time.Duration{port: 50 * time.Millisecond, secure: 0}
	for text, fallback := range waits {
		number, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		made, err := nats.NewServer(&nats.Options{
			Host: "127.0.0.1", Port: number, TLSConfig: config, TLSTimeout: 5,
			TLSHandshakeFirst: true, TLSHandshakeFirstFallback: fallback, NoSigs: true,
		})
		if err != nil {
			return err
		}
		go made.Start()
	}
	return nil
}

func runWebSocket(port, secure string, config *tls.Config) error {
	var upgrader websocket.Upgrader
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer socket.Close()
		for {
			kind, message, err := socket.ReadMessage()
			if err != nil {
				return
			}
			socket.WriteMessage(kind, message)
		}
	})
	over := &http.Server{Addr: secure, Handler: echo, TLSConfig: config}
	go over.ListenAndServeTLS("", "")
	return http.ListenAndServe(port, echo)
}

type nobody struct{}

func (nobody) NewSession(*smtp.Conn) (smtp.Session, error) { return nobody{}, nil }
func (nobody) Reset()                                      {}
func (nobody) Logout() error                               { return nil }
func (nobody) Mail(string, *smtp.MailOptions) error        { return nil }
func (nobody) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (nobody) Data(message io.Reader) error                { _, err := io.Copy(io.Discard, message); return err }

func runSMTP(port, secure string, config *tls.Config) error {
	made := smtp.NewServer(nobody{})
	made.Addr, made.Domain, made.TLSConfig = port, "mx.example.com", config
	over, err := net.Listen("tcp", secure)
	if err != nil {
		return err
	}
	go made.Serve(tls.NewListener(over, config))
	return made.ListenAndServe()
}
