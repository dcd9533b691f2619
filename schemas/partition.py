"""The partition of a host's records: canonical host, then Kafka's own murmur2."""

import ipaddress
import re
from typing import Final

import idna
from aiokafka.partitioner import murmur2

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def canonical_host(host: str) -> str:
    """The one spelling of a host: lower case, no final dot, IDNA, compressed IPv6.

    Raises:
        ValueError: not a host name (RFC 1123, RFC 5890) and not an IP address.
    """
    text = host.strip()
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        return _spelled(ipaddress.ip_address(text[1:-1] if bracketed else text))
    except ValueError:
        pass
    text = text.removesuffix(".").lower()
    if not text or any(c in ":/@[]%" or c.isspace() for c in text):
        raise ValueError(f"expected a host name or an IP address, found {host!r}")
    if text.isascii():
        return _checked_ascii(text, host)
    try:
        encoded = idna.encode(text, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"expected a host name, found {host!r}: {error}") from error
    # UTS 46 maps full stops and digits of other scripts to ASCII: check again.
    return canonical_host(encoded)


def _spelled(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.scope_id is not None and not address.scope_id.isalnum():
        raise ValueError(f"expected a zone of letters and digits, found {address}")
    # Python up to 3.12 and from 3.13 on format these differently; RFC 5952, section 5.
    return str(address) if address.ipv4_mapped is None else f"::ffff:{address.ipv4_mapped}"


def _checked_ascii(text: str, written: str) -> str:
    # RFC 1123 has no underscores in host names, but real inventories do (Docker, Windows).
    labels = text.split(".")
    for label in labels:
        plain = label.replace("-", "").replace("_", "")
        bad_hyphen = label.startswith("-") or label.endswith("-")
        if not plain.isalnum() or bad_hyphen or len(label) > 63:
            raise ValueError(f"expected a host name or an IP address, found {written!r}")
    if _NUMBER.fullmatch(labels[-1]):
        # The resolver would take `127.1` or `0x7f000001` for an address; `256.1.1.1` is a mistake.
        raise ValueError(f"expected an IP address of four numbers up to 255, found {written!r}")
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
    """The partition key of a target: its host, or its id when it has none."""
    return target_id if host is None else host
