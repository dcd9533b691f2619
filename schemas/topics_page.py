"""docs/topics.md, written from the declarations of the topics."""

import re
from typing import Final

from schemas import topics
from schemas.duration import DAY_MS, HOUR_MS
from schemas.json_schema import CONTROL_SUFFIX
from schemas.topics import Topic

_HEAD: Final = """\
# Topics

<!-- Written by `python -m schemas.generate` from schemas/topics.py; change that, not this. -->

Every role creates the topics that are missing before it starts and refuses a cluster whose
topics have other partitions. All names carry a prefix, `portquorum.` unless
`PORTQUORUM_TOPIC_PREFIX` says otherwise. `P` is the fleet's partition count
(`PORTQUORUM_PARTITIONS`, 16 by default); topics that have it are partitioned by host with the
murmur2 hash of Kafka's Java client, so that everything about one host lies in one partition.

For programs: [schemas/asyncapi.yaml](../schemas/asyncapi.yaml), JSON Schemas, and whole messages
for tests ([schemas.md](schemas.md)).

| topic | partitions | kept | written by | read by |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    rows = "".join(_row(topic) for topic in topics.ALL)
    return _HEAD + rows + "".join(_section(topic) for topic in topics.ALL)


def _row(topic: Topic) -> str:
    cells = (
        # GitHub's anchor of a heading has no dot.
        f"[{topic.name}](#{topic.name.replace('.', '')})",
        "P" if topic.partitions == "fleet" else str(topic.partitions),
        _kept(topic),
        ", ".join(topic.writers),
        ", ".join(topic.readers),
    )
    return "| " + " | ".join(cells) + " |\n"


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "the newest of each key"
    if topic.retention_ms is None:
        return "for ever"
    newest = "the newest of each key, " if "compact" in topic.cleanup else ""
    if topic.retention_ms % DAY_MS == 0:
        return f"{newest}{topic.retention_ms // DAY_MS} days"
    hours = topic.retention_ms // HOUR_MS
    return f"{newest}{hours} hour{'s' if hours != 1 else ''}"


def _section(topic: Topic) -> str:
    stamp = "the broker's append time" if topic.log_append_time else "the writer's time"
    names = ", ".join(f"`{struct.__name__}`" for struct in topic.schema)
    lines = [
        f"\n## {topic.name}\n",
        f"{_linked(topic.about)}\n",
        f"- Key: {topic.key}.",
        f"- Timestamp: {stamp}.",
        f"- Compression: {topic.compression}.",
        f"- Values: {names} ({_links(topic.name)}).",
    ]
    if topic.control:
        tags = ", ".join(f"`{struct.__struct_config__.tag}`" for struct in topic.control)
        lines.append(f"- Control records: {tags} ({_links(topic.name + CONTROL_SUFFIX)}).")
    return "\n".join(lines) + "\n"


def _linked(text: str) -> str:
    """The text with other pages as links: this page lies beside them."""
    return re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", text)


def _links(name: str) -> str:
    return (
        f"[JSON Schema](../schemas/json/{name}.schema.json), "
        f"[examples](../schemas/examples/{name}/)"
    )
