// A gRPC server by grpc-go: `server ADDRESS [certificate key [authority of clients]]`.
//
// Health: the whole server and "up" are SERVING, "down" is NOT_SERVING, "odd" is UNKNOWN. "secret"
// wants the metadata `authorization: Bearer open-sesame`, "busy" is at its limit, "slow" never
// answers. With the environment variable WITHOUT_HEALTH it has no health service.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func guard(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (any, error) {
	check, ok := request.(*healthpb.HealthCheckRequest)
	if !ok {
		return next(ctx, request)
	}
	switch check.Service {
	case "secret":
		said := metadata.ValueFromIncomingContext(ctx, "authorization")
		if len(said) != 1 || said[0] != "Bearer open-sesame" {
			return nil, status.Error(codes.Unauthenticated, "no way in, ändere das")
		}
	case "busy":
		return nil, status.Error(codes.ResourceExhausted, "too many connections")
	case "slow":
		<-ctx.Done()
	}
	return next(ctx, request)
}

func options(args []string) []grpc.ServerOption {
	found := []grpc.ServerOption{grpc.UnaryInterceptor(guard)}
	if len(args) < 2 {
		return found
	}
	pair, err := tls.LoadX509KeyPair(args[0], args[1])
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if len(args) > 2 {
		authority, err := os.ReadFile(args[2])
		if err != nil {
			log.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(authority)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return append(found, grpc.Creds(credentials.NewTLS(config)))
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options(os.Args[2:])...)
	if os.Getenv("WITHOUT_HEALTH") == "" {
		states := health.NewServer()
		for _, name := range []string{"up", "secret"} {
			states.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
		}
		states.SetServingStatus("down", healthpb.HealthCheckResponse_NOT_SERVING)
		states.SetServingStatus("odd", healthpb.HealthCheckResponse_UNKNOWN)
		healthpb.RegisterHealthServer(server, states)
	}
	log.Fatal(server.Serve(listener))
}
