"""Monitors of other services: gRPC, WebSocket, Kafka, RabbitMQ, games, Globalping."""

import re
from typing import Any, Final
from urllib.parse import quote

from portquorum.importing import hiding
from portquorum.importing.kuma import http, names, network
from portquorum.importing.kuma.http_request import in_clear
from portquorum.importing.kuma.left_out import NO_CONTAINER, LeftOutError
from portquorum.importing.kuma.monitor import Monitor, Targets
from portquorum.importing.urls import HttpPlace, http_entry, http_place, literal, tls_option

_A2S: Final = "ff ff ff ff 54 53 6f 75 72 63 65 20 45 6e 67 69 6e 65 20 51 75 65 72 79 00"
"""A2S_INFO (developer.valvesoftware.com, Server queries); answered by the same or a challenge."""

_A2S_ANSWER: Final = r"^\xff\xff\xff\xff[IA]"
_SOURCE_GAMES: Final = re.compile(
    r"(?i)cs(16|go|2|s|z|promod|czero|source)?$|csgo|cs2|counter|tf2?c?$|teamfortress|rust|arma|dayz|ark"
    r"|garrysmod|gmod|hl2?(dm)?$|hldms?|left4dead|l4d|valheim|7d2d|sdtd|unturned|squad|insurgency"
    r"|conan|zomboid|hldm|dod|theforest|forrest|barotrauma|protocol-valve|valve"
)
_MINECRAFT: Final = re.compile(r"(?i)^(minecraft|mcping|minecraftping|minecraftvanilla|mc)$")
_RUNS: Final[tuple[dict[str, Any], ...]] = (
    {"json": "$.State.Running", "equals": True},
    {"json": "$.State.Paused", "equals": True, "not": True},
    {"json": "$.State.Health.Status", "equals": "unhealthy", "not": True},
)
"""What a container must be (server/model/monitor.js); while it starts it counts as up."""

_HEALTH: Final = "grpc.health.v1.Health"


def grpc(monitor: Monitor) -> Targets:
    """A call by gRPC: of the health service as it is, of another one the port alone."""
    fields = monitor.fields
    written = monitor.expanded(fields.text("grpcUrl")).strip()
    fields.skip(
        "grpcProtobuf", "grpcBody", "grpcMetadata", "grpcMethod", "keyword", "invertKeyword"
    )
    tls = fields.flag("grpcEnableTls") or written.startswith(("https://", "grpcs://"))
    bare = written.partition("://")[2] or written
    try:
        place = http_place(f"{'https' if tls else 'http'}://{bare}")
    except ValueError as error:
        raise LeftOutError(str(error)) from None
    entry: dict[str, Any] = {"host": place.host, "port": place.port}
    if fields.flag("upsideDown"):
        monitor.differs("upside down: it is down when the port takes connections")
        return [entry | {"kind": "tcp", "expect": "closed"}]
    if fields.text("grpcServiceName").strip().endswith(_HEALTH.rpartition(".")[2]):
        monitor.differs(
            "the health of the whole server is asked for, and must be SERVING; no keyword is "
            "looked for: `service:` names a service"
        )
        probe = tls_option(place.port, tls=tls) | monitor.ends(tls=tls)
        return [entry | {"kind": "grpc"} | ({"probe": probe} if probe else {})]
    monitor.differs(
        "the method is not called and no keyword looked for: it is up when the port "
        + ("speaks TLS" if tls else "takes connections")
        + "; kind grpc asks a server's health service"
    )
    if tls:
        return [entry | {"kind": "tls", "probe": monitor.ends(tls=True)}]
    return [entry | {"kind": "tcp"}]


def websocket(monitor: Monitor) -> Targets:
    """An upgrade to WebSocket."""
    fields = monitor.fields
    if fields.flag("upsideDown"):
        raise LeftOutError("upside down: only that a port must be closed can be said (kind tcp)")
    http_fields = ("method", "maxredirects", "body", "httpBodyEncoding", "keyword")
    fields.skip(*http_fields, "accepted_statuscodes")
    url = monitor.expanded(fields.text("url")).strip()
    try:
        place = http_place(url)
    except ValueError as error:
        raise LeftOutError(str(error)) from None
    if fields.flag("wsIgnoreSecWebsocketAcceptHeader"):
        monitor.differs("a server with a wrong Sec-WebSocket-Accept is down, as for browsers")
    probe: dict[str, Any] = {}
    path = hiding.path(place.path, monitor.of_path())
    if path != "/":
        probe["path"] = literal(path)
    probe |= tls_option(place.port, tls=place.tls) | monitor.ends(tls=place.tls)
    if place.tls and fields.flag("ignoreTls"):
        probe["verify"] = False
    asked: dict[str, Any] = {}
    http.request_of_websocket(monitor, asked, place)
    probe |= {
        name: asked[name]
        for name in ("headers", "basic_auth", "bearer", "client_certificate")
        if name in asked
    }
    protocols = [one.strip() for one in fields.text("wsSubprotocol").split(",") if one.strip()]
    if protocols:
        probe["subprotocols"] = protocols
    if in_clear(probe, tls=place.tls):
        probe["insecure"] = True
    entry: dict[str, Any] = {"kind": "websocket", "host": place.host}
    if place.port != 80:
        entry["port"] = place.port
    return [entry | ({"probe": probe} if probe else {})]


def kafka(monitor: Monitor) -> Targets:
    """The brokers of a cluster."""
    fields = monitor.fields
    fields.skip(
        *("kafkaProducerTopic", "kafkaProducerMessage", "kafkaProducerSaslOptions"),
        "kafkaProducerAllowAutoTopicCreation",
    )
    brokers = [monitor.expanded(str(one)).strip() for one in fields.listed("kafkaProducerBrokers")]
    if not brokers:
        raise LeftOutError("it names no broker")
    monitor.differs("no message is produced, and nobody logs in: the broker must answer")
    if len(brokers) > 1:
        monitor.differs(f"{len(brokers)} brokers are checked one by one, and one was enough")
    found: Targets = []
    for one in brokers:
        try:
            place = http_place(f"http://{one.partition('://')[2] or one}")
        except ValueError as error:
            raise LeftOutError(str(error)) from None
        port = place.port if re.search(r":[0-9]+/?$", one) else 9092
        entry: dict[str, Any] = {"kind": "kafka", "host": place.host, "port": port}
        if len(brokers) > 1:
            entry["name"] = f"{monitor.name} {place.host}"
        if fields.flag("kafkaProducerSsl"):
            entry["probe"] = {"tls": "implicit", **monitor.ends(tls=True)}
        found.append(entry)
    return found


def rabbitmq(monitor: Monitor) -> Targets:
    """The alarms of a cluster, asked for at its management pages."""
    fields = monitor.fields
    nodes = [monitor.expanded(str(one)).strip() for one in fields.listed("rabbitmqNodes")]
    user, password = fields.text("rabbitmqUsername"), fields.text("rabbitmqPassword")
    if not nodes:
        raise LeftOutError("it names no node")
    if len(nodes) > 1:
        monitor.differs(f"{len(nodes)} nodes are checked one by one, and one was enough")
    found: Targets = []
    for one in nodes:
        try:
            place = http_place(one)
        except ValueError as error:
            raise LeftOutError(str(error)) from None
        path = place.path.rstrip("/") + "/api/health/checks/alarms/"
        entry = http_entry(HttpPlace(host=place.host, port=place.port, tls=place.tls, path=path))
        probe: dict[str, Any] = entry["probe"] | monitor.ends(tls=place.tls) | {"status": [200]}
        probe["basic_auth"] = {
            "username": monitor.secret("rabbitmqUsername", user),
            "password": monitor.secret("rabbitmqPassword", password),
        }
        if in_clear(probe, tls=place.tls):
            probe["insecure"] = True
        entry["probe"] = probe
        if len(nodes) > 1:
            entry["name"] = f"{monitor.name} {place.host}"
        found.append(entry)
    return found


def steam(monitor: Monitor) -> Targets:
    """A game's server that Steam lists."""
    monitor.differs("the server itself is asked (A2S_INFO), and not Steam whether it lists it")
    return [_source(monitor)]


def gamedig(monitor: Monitor) -> Targets:
    """A game's server."""
    game = monitor.fields.text("game").strip()
    monitor.fields.skip("gamedigGivenPortOnly")
    if _MINECRAFT.match(game):
        monitor.differs("the port must take connections; what the server says is not looked at")
        return [{"kind": "tcp", "host": monitor.host(), "port": monitor.port(25565)}]
    if _SOURCE_GAMES.match(game):
        return [_source(monitor)]
    raise LeftOutError(
        f"the protocol of the game {game[:40]!r} is not known here: kind udp with the bytes that "
        "it asks and answers (docs/recipes.md)"
    )


def docker(monitor: Monitor) -> Targets:
    """A container, if its engine is asked over TCP; one behind a socket is left out."""
    fields = monitor.fields
    engine = monitor.context.engines.get(fields.text("docker_host"), {})
    plain = {names.plain(str(name)): str(one) for name, one in engine.items()}
    container = fields.text("docker_container").strip()
    written = monitor.expanded(plain.get("dockerdaemon", ""))
    scheme, colon, rest = written.partition("://")
    if not colon or scheme not in {"tcp", "http", "https"} or not container:
        raise LeftOutError(NO_CONTAINER, networked=False)
    if fields.flag("upsideDown"):
        raise LeftOutError("upside down of a container: nothing says that it must not run")
    try:
        place = http_place(f"{'https' if scheme == 'https' else 'http'}://{rest}")
    except ValueError as error:
        raise LeftOutError(str(error)) from None
    if place.username:
        raise LeftOutError("its engine wants a login: write `basic_auth:` of an http target")
    path = f"/containers/{quote(container, safe='')}/json"
    entry = http_entry(HttpPlace(host=place.host, port=place.port, tls=place.tls, path=path))
    entry["probe"] |= {"conditions": [dict(one) for one in _RUNS]}
    return [entry]


def _source(monitor: Monitor) -> dict[str, Any]:
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError("upside down: only that a port must be closed can be said (kind tcp)")
    probe = {"send_hex": _A2S, "expect_regex": _A2S_ANSWER}
    return {"kind": "udp", "host": monitor.host(), "port": monitor.port(27015), "probe": probe}


def globalping(monitor: Monitor) -> Targets:
    """What others' probes would check, from your own regions."""
    kinds = {"ping": network.ping, "http": http.http, "dns": network.dns}
    kind = monitor.fields.text("subtype", "ping").lower()
    make = kinds.get(kind)
    if make is None:
        raise LeftOutError(f"a check {kind[:20]!r} of Globalping is not known")
    monitor.fields.skip("location", "protocol")
    monitor.differs("it is checked from your own regions, and not by probes of Globalping")
    if kind == "http" and monitor.fields.text("keyword"):
        return http.keyword(monitor)
    if kind == "http" and monitor.fields.text("expectedValue"):
        return http.json_query(monitor)
    return make(monitor)
