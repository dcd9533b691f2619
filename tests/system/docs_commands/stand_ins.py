"""What stands in a page for what only an installation knows, and what is taken instead.

A name that the installation has (`prod-db`, `db-oncall`, …) stands for itself, as do the files of
`folder`. An entry holds in commands that begin with its words; it is made anew for each command, so
that what a command ends or revokes is there.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tests.system.docs_commands.installation import Installation

_UUID: Final = "5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c12"


class StandIn(NamedTuple):
    """`text`, wherever it stands in a word of a command that begins with `command`."""

    command: str
    text: str
    instead: Callable[[Installation], str]


def _incident(target: str) -> Callable[[Installation], str]:
    return lambda one: one.incidents[target][:8]


def _silence(one: Installation) -> str:
    words = ("silence", "add", "--target", "old-ftp", "--for", "1h", "--reason", "to be ended")
    return str(one.json(*words)["silence"]["name"])


def _token(one: Installation) -> str:
    return str(one.json("token", "add", "to be revoked")["token"]["id"])


def _key(one: Installation) -> str:
    return str(one.json("heartbeat", "key", "add", "nightly-backup")["key"]["id"])


def _secret(*of: str) -> Callable[[Installation], str]:
    return lambda one: str(one.json("heartbeat", "key", "add", *of)["key"]["secret"])


def _file_with_secret(one: Installation) -> str:
    file = one.home / "backup.secret"
    file.write_text(_secret("nightly-backup")(one))
    return str(file)


def _at(ahead_s: float, clock: str = "%Y-%m-%dT%H:%M") -> Callable[[Installation], str]:
    return lambda _: time.strftime(clock, time.gmtime(time.time() + ahead_s))


def _as(text: str) -> Callable[[Installation], str]:
    return lambda _: text


def _open(one: Installation) -> str:
    return f"127.0.0.1:{one.ports.open}"


STAND_INS: Final = (
    # Ids of what there is
    StandIn("ack", "3f2c9a1e", _incident("prod-db")),
    StandIn("ack", "3f2c", _incident("prod-db")),
    StandIn("ack", "9b07", _incident("db1")),
    StandIn("resolve", "3f2c9a1e", _incident("old-host")),
    StandIn("notify why", "0b7c1f52", lambda one: one.event[:8]),
    StandIn("silence end", "3f2c9a1e", _silence),
    StandIn("silence end", "3f2c", lambda one: _silence(one)[:6]),
    StandIn("silence end", "9b07", _silence),
    StandIn("silence end", "ID", _silence),
    StandIn("token revoke", "9c41f0aa", _token),
    StandIn("token revoke", "07b1e22d", _token),
    StandIn("heartbeat key revoke", "9c41f0aa", _key),
    StandIn("heartbeat key revoke", "07b1e22d", _key),
    StandIn("beat", "@/etc/backup.secret", lambda one: f"@{_file_with_secret(one)}"),
    StandIn("beat", "SECRET", _secret("nightly-backup")),
    StandIn("beat", "KEY", _secret("--all")),
    # A name that is not there yet
    StandIn("target add", "Backup", _as("Weekly copy")),
    # Names that a reader fills in
    StandIn("target remove", "ID…", _as("tried-out")),
    StandIn("heartbeat key add", "ID", _as("nightly-backup")),
    StandIn("heartbeat key add", "TOKEN", _as(_UUID)),
    StandIn("explain", "ID", _as("prod-db")),
    StandIn("explain", "TARGET", _as("prod-db")),
    StandIn("status", "TARGET", _as("prod-db")),
    StandIn("notify why", "TARGET", _as("prod-db")),
    StandIn("notify test", "ROUTE", _as("db-oncall")),
    StandIn("notify test", "NAME", _as("me")),
    StandIn("notify test", "discord", _as("me")),
    StandIn("inventory", "FILE…", _as("inventory.yaml")),
    StandIn("inventory", "FILE", _as("inventory.yaml")),
    StandIn("backtest", "FILE", _as("calmer.yaml")),
    StandIn("import gatus", "FILE", _as("config.yaml")),
    StandIn("import prometheus", "…", _as("prometheus.yml")),
    StandIn("sql", "SELECT …", _as("SELECT 1")),
    # Hosts, addresses and brokers that are not here
    StandIn("topics copies", "3", _as("1")),
    StandIn("check", "HOST:PORT", _open),
    StandIn("check", "K", _as("tcp")),
    StandIn("check", "db1.example.com:5432", _open),
    StandIn("check", "db1.example.com:23", lambda one: f"127.0.0.1:{one.ports.closed('prod_db')}"),
    StandIn("check", "db1.example.com", _open),
    StandIn("check", "db2.example.com", _open),
    StandIn("check", "10.0.0.7:443", _open),
    StandIn("check", "10.0.0.2", _as("127.0.0.1")),
    StandIn("check", "[::1]:22", lambda one: one.ports.open_6),
    StandIn("check", "mail.example.com:587", lambda one: f"127.0.0.1:{one.street.smtp.port}"),
    StandIn("check", "pbx.example.com:5060", lambda one: f"127.0.0.1:{one.ports.echo}"),
    StandIn("check", 'send_hex: "…"', _as('send_hex: "6f6b"')),
    StandIn("check", 'expect_regex: "…"', _as('expect_regex: "ok"')),
    StandIn("inventory lint", "db1.example.com", _as("127.0.0.1")),
    StandIn("drill", "192.0.2.10", _as("127.0.0.1")),
    StandIn("drill", "us-east", _as("eu-west")),
    StandIn("beat", "https://monitor.example.com", lambda one: f"http://{one.place}"),
    # Programs and files of others
    StandIn("beat", "/usr/local/bin/backup", _as("echo")),
    StandIn("beat", "COMMAND", _as("true")),
    StandIn("beat", "…", _as("true")),
    StandIn("import nagios", "/etc/nagios/nagios.cfg", _as("nagios.cfg")),
    StandIn("import prometheus", "rules/*.yml", _as("rules/probes.yml")),
    # A scan of a thousand ports takes as many seconds as the rate says
    StandIn("inventory lint", "1-1024,5432", _as("1-3")),
    # Times: of the log that there is, and not over yet
    StandIn("replay", "2026-11-20T14:00", _at(-3600)),
    StandIn("replay", "2026-11-20T15:30", _at(3600)),
    StandIn("silence add", "2026-12-01T08:00", _at(86400)),
    StandIn("target pause", "2026-12-01T08:00", _at(86400)),
)


def entries(words: Sequence[str]) -> list[StandIn]:
    """Those that hold in this command, the longest text first."""
    line = f"{' '.join(words)} "
    found = [
        one for one in STAND_INS if line.startswith(f"{one.command} ") and _stands(one.text, words)
    ]
    return sorted(found, key=lambda one: -len(one.text))


def _stands(text: str, words: Iterable[str]) -> bool:
    return any(_pattern([text]).search(word) for word in words)


def _pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """One of the texts; of letters and digits not within a longer word of them."""
    return re.compile("|".join(rf"(?<![\w.-]){re.escape(one)}(?![\w])" for one in texts))


def filled(words: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The words with values in place of texts, each looked at once."""
    if not values:
        return list(words)
    pattern = _pattern(values)
    return [pattern.sub(lambda found: values[found[0]], word) for word in words]


def instead(words: Sequence[str], installation: Installation) -> list[str]:
    """The command as it is run here."""
    used = {one.text: one for one in reversed(entries(words))}
    values = {text: used[text].instead(installation) for text in sorted(used, key=len)[::-1]}
    return filled(words, values)
