"""A gRPC server by grpcio with its health service: `grpc_python.py ADDRESS`.

The whole server and "up" are SERVING, "down" is NOT_SERVING, "odd" is UNKNOWN.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server = grpc.server(ThreadPoolExecutor(2))
states = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(states, server)
status = health_pb2.HealthCheckResponse
for name, value in (
    ("", "SERVING"),
    ("up", "SERVING"),
    ("down", "NOT_SERVING"),
    ("odd", "UNKNOWN"),
):
    states.set(name, status.ServingStatus.Value(value))
server.add_insecure_port(sys.argv[1])
server.start()
server.wait_for_termination()
