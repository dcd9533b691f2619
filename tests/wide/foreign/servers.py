"""Servers written in Python, one by its name: `servers.py NAME PORT SECURE CERT KEY`.

Each runs until it is ended. `tests/wide/install` makes the environment in which it runs.
"""

import asyncio
import logging
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


def aiosmtpd(port: int, secure: int, tls: ssl.SSLContext) -> None:
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink

    # Its wait for its own first answer is shorter than a busy machine needs.
    Controller(Sink(), HOST, port, tls_context=tls, ready_timeout=60).start()
    Controller(Sink(), HOST, secure, ssl_context=tls, ready_timeout=60).start()
    asyncio.run(asyncio.Event().wait())


def amqtt(port: int, secure: int, _: ssl.SSLContext) -> None:
    from amqtt.broker import Broker

    tcp = {"type": "tcp", "max_connections": 100}
    # It asks each client for a certificate, and lets in those without one.
    ca = str(Path(sys.argv[4]).with_name("ca.pem"))
    over = {"ssl": True, "certfile": sys.argv[4], "keyfile": sys.argv[5], "cafile": ca}
    listeners = {
        "default": {**tcp, "bind": f"{HOST}:{port}"},
        "secure": {**tcp, **over, "bind": f"{HOST}:{secure}"},
    }

    async def serve() -> None:
        await Broker({"listeners": listeners}).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


def asyncssh(port: int, _: int, __: ssl.SSLContext) -> None:
    import asyncssh as library

    async def serve() -> None:
        key = library.generate_private_key("ssh-ed25519")
        await library.listen(HOST, port, server_host_keys=[key])
        await asyncio.Event().wait()

    asyncio.run(serve())


def fakeredis(port: int, _: int, __: ssl.SSLContext) -> None:
    from fakeredis import TcpFakeServer

    TcpFakeServer((HOST, port)).serve_forever()


def grpcio(port: int, secure: int, _: ssl.SSLContext) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from grpc_health.v1 import health, health_pb2_grpc

    # Its health service has the whole server as SERVING from the start.
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    cert, key = Path(sys.argv[4]).read_bytes(), Path(sys.argv[5]).read_bytes()
    server.add_insecure_port(f"{HOST}:{port}")
    server.add_secure_port(f"{HOST}:{secure}", grpc.ssl_server_credentials([(key, cert)]))
    server.start()
    server.wait_for_termination()


def hypercorn(port: int, secure: int, _: ssl.SSLContext) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    config = Config()
    config.insecure_bind, config.bind = [f"{HOST}:{port}"], [f"{HOST}:{secure}"]
    config.certfile, config.keyfile = sys.argv[4], sys.argv[5]
    asyncio.run(serve(app, config))


def pyftpdlib(port: int, _: int, __: ssl.SSLContext) -> None:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    FTPHandler.authorizer = DummyAuthorizer()
    FTPServer((HOST, port), FTPHandler).serve_forever()


def twisted(port: int, secure: int, _: ssl.SSLContext) -> None:
    from twisted.cred.portal import Portal
    from twisted.internet import reactor
    from twisted.internet.protocol import Factory
    from twisted.mail import imap4, pop3

    del Portal
    imap, pop = Factory.forProtocol(imap4.IMAP4Server), Factory.forProtocol(pop3.POP3)
    reactor.listenTCP(port, imap, interface=HOST)
    reactor.listenTCP(secure, pop, interface=HOST)
    reactor.run()


def websockets(port: int, secure: int, tls: ssl.SSLContext) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async def run() -> None:
        async with serve(echo, HOST, port), serve(echo, HOST, secure, ssl=tls):
            await asyncio.Event().wait()

    asyncio.run(run())


SERVERS: dict[str, Callable[[int, int, ssl.SSLContext], None]] = {
    each.__name__: each
    for each in (
        aiosmtpd,
        amqtt,
        asyncssh,
        fakeredis,
        grpcio,
        hypercorn,
        pyftpdlib,
        twisted,
        websockets,
    )
}


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    name, port, secure, cert, key = sys.argv[1:6]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    SERVERS[name](int(port), int(secure), context)


if __name__ == "__main__":
    main()
