"""Which partition a host's records go to: canonical host, then Kafka's own murmur2."""

import ipaddress

import idna
from aiokafka.partitioner import murmur2


def canonical_host(host: str) -> str:
    """The one spelling of a host: lower case, no final dot, IDNA, compressed IPv6.

    Raises:
        ValueError: not a host name (RFC 1123, RFC 5890) and not an IP address.
    """
    text = host.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    text = text.removesuffix(".").lower()
    if not text:
        raise ValueError(f"expected a host name or an IP address, found {host!r}")
    if ":" in text or "/" in text or "@" in text or any(c.isspace() for c in text):
        raise ValueError(f"expected a host name or an IP address, found {host!r}")
    if text.isascii():
        return _checked_ascii(text, host)
    try:
        return idna.encode(text, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise ValueError(f"expected a host name, found {host!r}: {error}") from error


def _checked_ascii(text: str, written: str) -> str:
    # Underscores are no host names by RFC 1123 but stand in real inventories (Docker, Windows).
    labels = text.split(".")
    for label in labels:
        plain = label.replace("-", "").replace("_", "")
        bad_hyphen = label.startswith("-") or label.endswith("-")
        if not plain.isalnum() or bad_hyphen or len(label) > 63:
            raise ValueError(f"expected a host name or an IP address, found {written!r}")
    if len(text) > 253:
        raise ValueError(f"a host name has at most 253 characters, found {len(text)}: {written!r}")
    return text


def partition_for(key: str | bytes, partitions: int) -> int:
    """The partition that Kafka's Java client (`BuiltInPartitioner.partitionForKey`) chooses.

    `key` is a canonical host, the id of a target without a host, or a region's name.
    """
    raw = key.encode() if isinstance(key, str) else key
    return int((murmur2(raw) & 0x7FFFFFFF) % partitions)


def host_key(host: str | None, target_id: str) -> str:
    """What a target's records are partitioned by: its host, or its id when it has none."""
    return target_id if host is None else host
