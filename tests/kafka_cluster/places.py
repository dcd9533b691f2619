"""Where the brokers are: addresses, and the command in front of what runs there."""

from collections.abc import Sequence

from msgspec import Struct

from portquorum.embedded.service.addresses import ListenAddress, reserve


class Place(Struct, frozen=True):
    """Where a broker listens; `within` is the beginning of a command that runs at this place."""

    clients: ListenAddress
    certificates: ListenAddress
    brokers: ListenAddress
    controller: ListenAddress
    within: tuple[str, ...] = ()


def on_loopback(count: int) -> list[Place]:
    """Places on this machine, with free ports."""
    found: dict[ListenAddress, None] = {}
    while len(found) < 4 * count:
        found[reserve(ListenAddress("127.0.0.1", 0))] = None
    addresses = list(found)
    return [Place(*addresses[4 * number : 4 * number + 4]) for number in range(count)]


def at_addresses(addresses: Sequence[str], within: Sequence[tuple[str, ...]]) -> list[Place]:
    """Places that have an address each for themselves, such as a network namespace."""
    return [
        Place(*(ListenAddress(address, port) for port in range(9092, 9096)), within=before)
        for address, before in zip(addresses, within, strict=True)
    ]
