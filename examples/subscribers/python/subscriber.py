"""Subscribes to incidents: prints a line an event, and keeps what is open in SQLite.

    pip install aiokafka
    python subscriber.py SERVERS STATE.sqlite

Environment: TOPIC_PREFIX (portquorum), GROUP (my-service), KAFKA_USERNAME, KAFKA_PASSWORD,
KAFKA_SASL_MECHANISM (PLAIN), KAFKA_TLS=1, KAFKA_CA (a PEM file; means TLS).
"""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalGenerationError, UnknownMemberIdError
from aiokafka.helpers import create_ssl_context

if len(sys.argv) != 3:
    sys.exit(__doc__)
SERVERS, STATE = sys.argv[1:]
PREFIX = os.environ.get("TOPIC_PREFIX", "portquorum")
GROUP = os.environ.get("GROUP", "my-service")
INCIDENTS, OPEN = f"{PREFIX}.incidents", f"{PREFIX}.incidents.open"
OVERLAP_MS = 600_000  # [incidents.open] may be behind [incidents] by this much
TABLES = """
CREATE TABLE IF NOT EXISTS handled (ce_id TEXT PRIMARY KEY, at INTEGER);
CREATE TABLE IF NOT EXISTS states (
    about TEXT PRIMARY KEY, ce_id TEXT, at INTEGER, open INTEGER, event TEXT);
"""
# Each type that this program knows, whole: what a later `v2` brings is another type.
TYPES = {
    f"portquorum.{word}.v1": word.removeprefix("incident.")
    for word in (
        *("incident.opened", "incident.updated", "incident.improved", "incident.worsened"),
        *("incident.closed", "region.silent", "region.returned", "region.suspect"),
        *("region.cleared", "region.clock_skewed", "region.secrets_missing"),
        *("region.secrets_found", "targets.unwatched", "targets.watched"),
    )
}
# A state, which others end, begins or goes on with each word but these.
ENDS = ("closed", "region.returned", "region.cleared", "region.secrets_found", "targets.watched")


class Poison(Exception):
    """A message that can't be read; this program can do nothing about it."""


def read(message):
    """The event, with its CloudEvents attributes; None for a type that is not known here."""
    headers = dict(message.headers)
    try:
        if headers["ce_specversion"] != b"1.0":
            raise ValueError(f"ce_specversion is {headers['ce_specversion']!r}, expected 1.0")
        needed = ("ce_id", "ce_type", "ce_subject")
        ce_id, ce_type, subject = (headers[name].decode() for name in needed)
        word = TYPES.get(ce_type)
        if word is None:
            return None
        event = json.loads(message.value.decode())
        place, down = subject, []
        if "." not in word:
            if event["host"]:
                place = f"{event['host']}:{event['port']}"
            regions = event["regions"].items()
            down = [name for name, region in regions if region["verdict"] == "down"]
        line = f"{place} {','.join(down) or '-'} {event['summary']} [{ce_id}]"
        # Whatever a server said may be in it: no control character reaches the terminal.
        line = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", line)
        if type(event["at"]) is not int or abs(event["at"]) >= 2**63:
            raise ValueError(f"at is {event['at']!r:.40}, expected milliseconds")
        return {
            "id": an_id(ce_id),
            "word": word,
            "about": an_id(about(word, event)),
            "at": event["at"],
            "line": line,
            "json": json.dumps(event),
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Poison(f"{type(error).__name__}: {error}") from error


def about(word, event):
    """The state that the event replaces: its incident, a partition's targets, or a region's."""
    if word.startswith("targets."):
        return f"unwatched/{event['partition']:d}"
    if word in ("region.silent", "region.returned"):
        return "silent/" + event["region"]
    if word in ("region.suspect", "region.cleared"):
        return "suspect/" + event["region"]
    if word in ("region.secrets_missing", "region.secrets_found"):
        return "secrets/" + event["region"]
    return event["event_id"] if word == "region.clock_skewed" else event["incident_id"]


def is_open(word):
    """Whether the event says that its state holds; nothing ends a skewed clock: it is no state."""
    return word not in (*ENDS, "region.clock_skewed")


def an_id(text):
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]{1,200}", text):
        raise ValueError(f"expected an id, found {text!r:.40}")
    return text


def read_or_skip(message):
    try:
        return read(message)
    except Poison as why:
        where = f"{message.topic}/{message.partition}@{message.offset}"
        print(f"skipped {where}: {why}", file=sys.stderr, flush=True)
        return None


def take(db, event):
    """Whether the event was news: stores its id, and its state unless an `at` there is larger."""
    row = (event["id"], event["at"])
    if not db.execute("INSERT OR IGNORE INTO handled VALUES (?, ?)", row).rowcount:
        return False
    changed = db.execute(
        "INSERT INTO states VALUES (?, ?, ?, ?, ?) ON CONFLICT (about) DO UPDATE SET "
        "ce_id = excluded.ce_id, at = excluded.at, open = excluded.open, event = excluded.event "
        "WHERE excluded.at >= states.at",
        (event["about"], *row, is_open(event["word"]), event["json"]),
    )
    return changed.rowcount > 0


def handle(db, event):
    """Does the event's work and remembers its id, in one transaction: in effect exactly once."""
    with db:
        if take(db, event):
            # Your work. If it is a call of another service, give it ce_id as idempotency key.
            print(event["word"], event["line"], flush=True)


async def partitions_of(topic):
    admin = AIOKafkaAdminClient(**connection())
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if not found["partitions"]:
        sys.exit(f"no topic {topic}, or no right to DESCRIBE it (error {found['error_code']})")
    return [TopicPartition(topic, one["partition"]) for one in found["partitions"]]


async def bootstrap(db, options):
    """What is open now, from [incidents.open]; the group's first offsets of [incidents].

    The offsets are taken first, so that nothing falls between the two topics.
    """
    events, table = await partitions_of(INCIDENTS), await partitions_of(OPEN)
    async with AIOKafkaConsumer(**options) as consumer:
        # The ends first: what is written between the two requests must not be left out.
        ends = await consumer.end_offsets(events)
        begin = int(time.time() * 1000) - OVERLAP_MS
        found = await consumer.offsets_for_times(dict.fromkeys(events, begin))
        consumer.assign(events)
        starts = {p: min(at.offset, ends[p]) if at else ends[p] for p, at in found.items()}
        await commit_start(consumer, starts)

        consumer.assign(table)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(table)
        newest = {}
        for partition in table:
            while await consumer.position(partition) < ends[partition]:
                for messages in (await consumer.getmany(partition, timeout_ms=1000)).values():
                    for message in messages:
                        event = message.value and read_or_skip(message)
                        if event:
                            newest[message.key] = event
                        elif message.value is None:
                            newest.pop(message.key, None)
    with db:
        for event in newest.values():
            if take(db, event):
                print("open", event["line"], flush=True)
        db.execute("PRAGMA user_version = 1")


async def commit_start(consumer, starts):
    """Commits for the group, once it has no member: one that was killed stays for some seconds."""
    while True:
        try:
            return await consumer.commit(starts)
        except (CommitFailedError, IllegalGenerationError, UnknownMemberIdError):
            print(f"waits: the group {GROUP} still has a member", file=sys.stderr, flush=True)
            await asyncio.sleep(1)


async def follow(db, options):
    async with AIOKafkaConsumer(INCIDENTS, **options) as consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=1000, max_records=100)
            for partition, messages in batches.items():
                for message in messages:
                    event = read_or_skip(message)
                    if event:
                        handle(db, event)
                # Only what is done is committed. A kill before it has the messages come again.
                await consumer.commit({partition: messages[-1].offset + 1})


def connection():
    options = {"bootstrap_servers": SERVERS}
    tls = os.environ.get("KAFKA_TLS") or os.environ.get("KAFKA_CA")
    if tls:
        options["ssl_context"] = create_ssl_context(cafile=os.environ.get("KAFKA_CA"))
    user = os.environ.get("KAFKA_USERNAME")
    if user:
        options["sasl_mechanism"] = os.environ.get("KAFKA_SASL_MECHANISM", "PLAIN")
        options["sasl_plain_username"] = user
        options["sasl_plain_password"] = os.environ["KAFKA_PASSWORD"]
    options["security_protocol"] = ("SASL_" if user else "") + ("SSL" if tls else "PLAINTEXT")
    return options


async def main():
    options = connection() | {
        "group_id": GROUP,
        "enable_auto_commit": False,
        "session_timeout_ms": 10_000,  # so long after kill -9 a restart waits
        "auto_offset_reset": "earliest",  # a lost offset costs time, never an event
    }
    db = sqlite3.connect(STATE)
    db.executescript(TABLES)
    task = asyncio.current_task()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, task.cancel)
    try:
        if db.execute("PRAGMA user_version").fetchone() == (0,):
            await bootstrap(db, options)
        await follow(db, options)
    except asyncio.CancelledError:
        count = db.execute("SELECT count(*) FROM handled").fetchone()[0]
        query = "SELECT about FROM states WHERE open ORDER BY 1"
        print("handled", count, "open", *(row[0] for row in db.execute(query)))
    finally:
        db.close()


if __name__ == "__main__":
    asyncio.run(main())
