"""Settings: `PORTQUORUM_*` variables over `portquorum.toml` over the running embedded services."""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, unquote, urlsplit

import msgspec
from msgspec import Meta, Struct

from foundation.kafka_security import KafkaSecurity, contradiction
from foundation.redact import HIDDEN, redact
from schemas.json_decoder import JsonDecoder

PREFIX: Final = "PORTQUORUM_"
SECRETS: Final = f"{PREFIX}SECRET_"
"""The beginning of the names of variables with secrets of checks (docs/security.md)."""
CONFIG_FILE: Final = "portquorum.toml"
SERVICES_FILE: Final = "services.json"
DEFAULT_KAFKA: Final = "127.0.0.1:9092"
DEFAULT_CLICKHOUSE: Final = "http://127.0.0.1:8123/portquorum"

_OTHER_VARIABLES: Final = frozenset(
    PREFIX + name for name in ("CONFIG", "CACHE", "BEAT_URL", "MAVEN", "DEBUG", "PARENT")
)
_services: Final[JsonDecoder[dict[str, str]]] = JsonDecoder(dict[str, str])
_WATCHDOG_URL: Final = re.compile(r"https?://[^/?#\s]+|\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_LINKS_URL: Final = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]{0,200})?"
)
_HOST_NAME: Final = re.compile(r"[\w.-]+", re.ASCII)
_PASSWORDS: Final = (
    "kafka_password",
    "owner_password",
    "reader_password",
    "metrics_password",
    "links_key",
    "pagerduty_secret",
    "web_oidc_client_secret",
)
_ALIKE: Final = 0.9
"""Lowest similarity of two names that count as a spelling mistake; 1: equal."""


class SettingsError(ValueError):
    """An invalid setting; the text names it and its source (variable or file)."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of all roles.

    Each field is read from `PORTQUORUM_<NAME>` (upper case), else from the key of that name in
    `portquorum.toml` in the working directory (or the file that `PORTQUORUM_CONFIG` names).
    Durations carry their unit in the name.
    """

    kafka: str = DEFAULT_KAFKA
    """Bootstrap servers, `host:port[,host:port]`."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_username: str | None = None
    kafka_password: str | None = None
    kafka_ca_file: str | None = None
    kafka_cert_file: str | None = None
    kafka_key_file: str | None = None
    topic_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}\Z")] = "portquorum"
    installation: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")] | None = None
    """The name of this installation in the `ce_source` of events (`/NAME/stream`); default: the
    topic prefix."""
    partitions: Annotated[int, Meta(ge=1, le=1024)] = 16
    """Partition count of the fleet's topics; fixed when they are created."""
    replication_factor: Annotated[int, Meta(ge=1, le=9)] | None = None
    """Copies of each new topic; default: what the brokers are set to."""
    clickhouse: str = DEFAULT_CLICKHOUSE
    """`http[s]://[user:password@]host:port/database`."""
    owner_password: str | None = None
    """Password of the embedded ClickHouse's user `portquorum`; default: made at the first start."""
    reader_password: str | None = None
    """Password of the embedded ClickHouse's user `default`; default: none, this machine only."""
    data_dir: Path = Path()
    """Folder of the embedded services' data and of the probers' unpublished results; default: the
    user's data directory."""
    metrics: str = "auto"
    """`host:port` for Prometheus metrics; `auto` is the role's own port on loopback."""
    metrics_password: Annotated[str, Meta(min_length=1)] | None = None
    """Password of the metrics (Basic authentication, any user); required behind a proxy."""
    target_series: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """The most targets of a process that have series of their own in its metrics; 0: none."""
    http_hosts: str | None = None
    """Other host names of our HTTP servers, beside this machine's names and addresses:
    `prober,metrics.example.org`."""
    native_listen: Annotated[str, Meta(min_length=1)] = "auto"
    """`host:port` where the embedded ClickHouse tells clients of the native protocol to use HTTP;
    `auto` is port 9000 beside port 8123, `off` nowhere."""
    log_format: Literal["auto", "pretty", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    probe_in_flight: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    """The most checks of one prober in flight; each needs a file descriptor."""
    probe_spool_results: Annotated[int, Meta(ge=1_000)] = 1_000_000
    """The most results that a prober keeps while the broker is away: 8 min at 2,000 a second."""
    probe_spool_memory_results: Annotated[int, Meta(ge=500)] = 10_000
    """The most of them in memory; above it all go to a file below `data_dir`."""
    probe_spool_mb: Annotated[int, Meta(ge=0)] = 1_000
    """The largest size of that file (MB); when it is full, results wait in memory."""
    probe_deny: str | None = None
    """Networks that no check from this machine may reach, whatever the inventory allows:
    `10.0.0.0/8,fd00::/8`."""
    checkpoint_interval_s: Annotated[float, Meta(ge=0.1, le=600)] = 15.0
    results_ttl_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    rollups_ttl_days: Annotated[int, Meta(ge=1, le=36500)] = 730
    """Retention of the hourly and daily roll-ups, which reports and views read."""
    sink_block_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000
    sink_block_wait_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    sink_bad_lines_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """The sink stops above this share of bad lines in a topic's last 10,000; 1: never."""
    group_wait_s: Annotated[float, Meta(ge=0, le=600)] = 2.0
    """The notifier's wait for other incidents of the same host."""
    group_interval_s: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    """The least time between a message to people and the digest after it; 0: no digests."""
    mass_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    """The share of all targets whose outage within a minute is a message of its own; 0: never."""
    watchdog: str | None = None
    """URL that the active notifier calls each minute while beats go prober → stream → notifier;
    `${NAME}` is taken from the notifier's environment."""
    links: str | None = None
    """The public URL of the notifiers' links in messages (`https://monitor.example.com/pq`), where
    people acknowledge or silence; none: there are no links."""
    links_listen: str = "127.0.0.1:9406"
    """`host:port` on which a notifier serves these links."""
    links_key: Annotated[str, Meta(min_length=32)] | None = None
    """The key by which they are signed, the same at all notifiers."""
    web_listen: str = "127.0.0.1:9480"
    """`host:port` of the page and its API; other machines may reach it with TLS or a proxy."""
    receiver_listen: str = "127.0.0.1:9481"
    """`host:port` of `portquorum receiver`; reports of jobs that are sent to the page need none."""
    public_listen: str | None = None
    """`host:port` of a second listener of the page, for strangers: status pages, badges and reports
    of jobs, and nothing else; any address may be one. None: there is none."""
    status_domains: str | None = None
    """Domains of status pages, which show nothing else: `status.example.org=shop,…`."""
    web_tls_certificate: str | None = None
    """File with the page's certificate and those between it and the root (PEM)."""
    web_tls_key: str | None = None
    """File with the certificate's private key (PEM, without a password)."""
    web_proxies: str | None = None
    """Networks of the proxies in front of the page, whose headers count: `10.0.0.7,10.1.0.0/24`."""
    web_user_header: str | None = None
    """Header in which such a proxy names the user that has signed in there: `Remote-User`."""
    web_groups_header: str | None = None
    """Header in which it names their groups, separated by commas."""
    web_groups: str | None = None
    """What groups may do: `admins=admin,db-oncall=operator:db,*=viewer`."""
    web_oidc_issuer: str | None = None
    """Sign-in by OpenID Connect: the provider's issuer, `https://sso.example.com/realms/main`."""
    web_oidc_client_id: str | None = None
    web_oidc_client_secret: Annotated[str, Meta(min_length=1)] | None = None
    """None: a public client, which has PKCE alone."""
    web_oidc_name: Annotated[str, Meta(min_length=1, max_length=60)] = "single sign-on"
    """What the button says after "Sign in by"."""
    web_oidc_scopes: str = "openid profile email"
    web_oidc_groups_claim: str = "groups"
    """The claim of the ID token with the groups, a list or a text."""
    web_oidc_user_claim: str = "email"
    """The claim with the user's name, which users can't choose; `email` counts if it is verified.
    """
    pagerduty_secret: Annotated[str, Meta(min_length=16)] | None = None
    """The secret of PagerDuty's webhook, whose acknowledgements come back at `links`."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords, plain and percent-encoded."""
        fields = (getattr(self, name) for name in _PASSWORDS)
        given = [value for value in fields if value]
        written = urlsplit(self.clickhouse).password
        if written:
            given += [written, unquote(written)]
        given += [part for part in (self.watchdog or "").split("/")[3:] if "${" not in part]
        return tuple(dict.fromkeys((*given, *(quote(value, safe="") for value in given))))

    def __repr__(self) -> str:
        """All settings without passwords, for every text that shows them."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={_shown(name, value)}" for name, value in values)
        return f"Settings({', '.join(shown)})"

    @property
    def kafka_security(self) -> KafkaSecurity:
        """How Kafka's clients sign in."""
        return KafkaSecurity(*(getattr(self, name) for name in KafkaSecurity._fields))

    @property
    def denied_networks(self) -> tuple[str, ...]:
        """The networks of `probe_deny`."""
        return tuple(text for part in (self.probe_deny or "").split(",") if (text := part.strip()))

    @property
    def http_host_names(self) -> tuple[str, ...]:
        """The names of `http_hosts`."""
        return tuple(text for part in (self.http_hosts or "").split(",") if (text := part.strip()))

    def topic(self, name: str) -> str:
        """The full name of the topic that docs/topics.md lists as `name`."""
        return f"{self.topic_prefix}.{name}"

    def event_source(self, role: str) -> str:
        """The `ce_source` of a role's events: `/NAME/role`, a path of RFC 3986 (section 3.3).

        NAME is the installation's name, by default the topic prefix. Both have unreserved
        characters only, so nothing has to be percent-encoded.
        """
        return f"/{self.installation or self.topic_prefix}/{role}"

    def group(self, role: str) -> str:
        """The consumer group of a role."""
        return f"{self.topic_prefix}-{role}"


def default_data_dir(env: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_DATA_HOME/portquorum`, by default below `~/.local/share` (XDG base directories)."""
    base = env.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "portquorum"


def load(env: Mapping[str, str] = os.environ, directory: Path | None = None) -> Settings:
    """Reads the settings.

    Raises:
        SettingsError: an unknown name, or a value out of its range; the text names it.
    """
    values, origin = _chosen(env, directory)
    values.setdefault("data_dir", str(default_data_dir(env)))
    for name, value in _running_services(Path(values["data_dir"])).items():
        values.setdefault(name, value)
        origin.setdefault(name, str(Path(values["data_dir"]) / SERVICES_FILE))
    return _convert(values, origin)


def chosen(env: Mapping[str, str] = os.environ, directory: Path | None = None) -> frozenset[str]:
    """The names of the settings from a variable or the file, not from a default or a service.

    Raises:
        SettingsError: the file can't be read or has an unknown name.
    """
    return frozenset(_chosen(env, directory)[0])


def misspelt(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Unknown variables with a similar name of a setting, each with that setting.

    Other variables with the prefix are accepted: Kubernetes, for example, sets
    `PORTQUORUM_SERVICE_HOST` for a service with the name `portquorum`.
    """
    known = {PREFIX + name.upper() for name in Settings.__struct_fields__} | _OTHER_VARIABLES
    strange = (
        name
        for name in env
        if name.startswith(PREFIX) and not name.startswith(SECRETS) and name not in known
    )
    alike = ((name, difflib.get_close_matches(name, known, 1, _ALIKE)) for name in strange)
    return {name: found[0] for name, found in alike if found}


def _chosen(
    env: Mapping[str, str], directory: Path | None
) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    explicit = env.get(PREFIX + "CONFIG")
    path = Path(explicit) if explicit else (directory or Path.cwd()) / CONFIG_FILE
    if explicit and not path.is_file():
        raise SettingsError(f"{PREFIX}CONFIG names {path}, which does not exist")
    if path.is_file():
        for name, value in _read_toml(path).items():
            _known(name, f"{path}: {name}")
            values[name], origin[name] = value, f"{path}: {name}"
    for variable, text in env.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name in Settings.__struct_fields__:
            values[name], origin[name] = text, variable
    return values, origin


def _convert(values: dict[str, Any], origin: dict[str, str]) -> Settings:
    for name in ("kafka", "clickhouse"):
        if isinstance(values.get(name), str):
            values[name] = values[name].strip()
    if "kafka" in values:
        values["kafka"] = str(values["kafka"]).removeprefix("kafka://")
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`").split(".")[0].split("[")[0]
        where = origin.get(name, name)
        found = _shown(name, values.get(name))
        raise SettingsError(f"{where}: {error}; found {found}") from error
    _check_addresses(settings, origin)
    wrong = contradiction(settings.kafka_security)
    if wrong is not None:
        name, why = wrong
        raise SettingsError(f"{origin.get(name, PREFIX + name.upper())}: {why}")
    return settings


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    raise msgspec.ValidationError(f"Expected `{kind.__name__}`, got {value!r}")


def _check_addresses(settings: Settings, origin: dict[str, str]) -> None:
    for server in settings.kafka.split(","):
        host, _, port = server.strip().rpartition(":")
        if "@" in server:
            where = origin.get("kafka", "kafka")
            raise SettingsError(
                f"{where}: expected host:port[,host:port], found a user in front of a host; "
                f"{PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD are for that"
            )
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            where = origin.get("kafka", "kafka")
            raise SettingsError(f"{where}: expected host:port[,host:port], found {server!r}")
    for text in settings.denied_networks:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            where = origin.get("probe_deny", "probe_deny")
            raise SettingsError(f"{where}: expected network[,network]; {error}") from error
    for text in settings.http_host_names:
        if not _HOST_NAME.fullmatch(text) and not _is_address(text):
            where = origin.get("http_hosts", "http_hosts")
            expected = "expected host[,host], each without scheme and port"
            raise SettingsError(f"{where}: {expected}; found {text!r}")
    _check_watchdog(settings, origin.get("watchdog", "watchdog"))
    _check_links(settings, origin)
    try:
        url = urlsplit(settings.clickhouse)
        fine = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        fine = False
    if not fine:
        where = origin.get("clickhouse", "clickhouse")
        shown = redact(settings.clickhouse)
        raise SettingsError(
            f"{where}: expected http[s]://[user:password@]host:port/database, found {shown!r}"
        )


def _check_watchdog(settings: Settings, where: str) -> None:
    if settings.watchdog is not None and not _WATCHDOG_URL.match(settings.watchdog):
        shown = _shown("watchdog", settings.watchdog)
        expected = "expected http[s]://host/… or ${NAME}, a variable with such a URL"
        raise SettingsError(f"{where}: {expected}; found {shown}")


def _check_links(settings: Settings, origin: dict[str, str]) -> None:
    where = origin.get("links", "links")
    if settings.links is not None and not _LINKS_URL.fullmatch(settings.links):
        shown = redact(repr(settings.links[:200]))
        raise SettingsError(
            f"{where}: expected http[s]://host[:port][/path] without user and query; found {shown}"
        )
    for name in ("links_listen", "web_listen", "receiver_listen", "public_listen"):
        written: str | None = getattr(settings, name)
        if written is None:
            continue
        host, _, port = written.rpartition(":")
        if not host or not port.isdecimal() or not 0 <= int(port) < 65536:
            where = origin.get(name, name)
            raise SettingsError(f"{where}: expected host:port, found {written[:200]!r}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _shown(name: str, value: object) -> str:
    """A value for people."""
    if name in _PASSWORDS and value is not None:
        return HIDDEN
    if name == "watchdog" and isinstance(value, str):
        # Whoever knows the path can keep the service at the other end quiet.
        known = _WATCHDOG_URL.match(value)
        if known is None:
            return HIDDEN
        return repr(redact(known[0]) + ("" if known.end() == len(value) else f"/{HIDDEN}"))
    return redact(repr(value))


def _known(name: str, where: str) -> None:
    if name not in Settings.__struct_fields__:
        known = ", ".join(Settings.__struct_fields__)
        raise SettingsError(f"{where}: no such setting; there are {known}")


def _running_services(data_dir: Path) -> dict[str, str]:
    """The addresses of the running embedded services, from the files that they write."""
    try:
        found = _services.decode((data_dir / SERVICES_FILE).read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return {name: url for name, url in found.items() if name in {"kafka", "clickhouse"}}
