"""A name server on 127.0.0.1:53, over UDP and TCP, that answers from {"NAME TYPE": [record, …]}.

A record is in zone format. `@OWNER TYPE …` is one of another owner or type, in the order given: a
chain of aliases. `!SERVFAIL` and the other names of response codes answer with that code,
`!TRUNCATED` is cut short over UDP, `!UDP` is cut short there and refused over TCP, `!STALLS` is cut
short there and silent over TCP, `!LOWER` writes the question in lower case, `!STRAY` sends an
answer with another id first, `!SILENT` answers nothing. A name without any record does not exist
(NXDOMAIN).
"""

import contextlib
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_TTL = 1


def serve(records: dict[str, list[str]]) -> None:
    """Begins to answer. Both ports are open when this returns."""
    zone = {tuple(key.lower().split()): values for key, values in records.items()}
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 53))
    threading.Thread(target=_over_udp, args=(datagrams, zone), daemon=True).start()
    if not any("!UDP" in values for values in zone.values()):
        listener = socket.create_server(("127.0.0.1", 53))
        threading.Thread(target=_over_tcp, args=(listener, zone), daemon=True).start()


Zone = dict[tuple[str, ...], list[str]]


def _over_udp(sock: socket.socket, zone: Zone) -> None:
    while True:
        data, peer = sock.recvfrom(4096)
        for answer in _answers(data, zone, udp=True):
            sock.sendto(answer, peer)


def _over_tcp(listener: socket.socket, zone: Zone) -> None:
    while True:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            (size,) = struct.unpack(">H", peer.recv(2, socket.MSG_WAITALL))
            answers = _answers(peer.recv(size, socket.MSG_WAITALL), zone, udp=False)
            for answer in answers:
                peer.sendall(struct.pack(">H", len(answer)) + answer)
            while not answers and peer.recv(4096):
                pass


def _answers(data: bytes, zone: Zone, *, udp: bool) -> list[bytes]:
    query = dns.message.from_wire(data)
    question = query.question[0]
    asked = question.name.to_text().lower().rstrip(".")
    kind = dns.rdatatype.to_text(question.rdtype)
    answer = dns.message.make_response(query)
    values = zone.get((asked, kind.lower()), [])
    marks = {value[1:] for value in values if value.startswith("!")}
    if "SILENT" in marks or ("STALLS" in marks and not udp):
        return []
    if asked not in {name for name, _ in zone}:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    if "LOWER" in marks:
        answer.question[0].name = dns.name.from_text(asked)
    for code in marks - {"TRUNCATED", "UDP", "STALLS", "LOWER", "STRAY"}:
        answer.set_rcode(dns.rcode.from_text(code))
    if udp and marks & {"TRUNCATED", "UDP", "STALLS"}:
        answer.flags |= dns.flags.TC
    else:
        for value in values:
            if value.startswith("@"):
                owner, other, text = value[1:].split(" ", 2)
                name = dns.name.from_text(owner)
                answer.answer.append(dns.rrset.from_text(name, _TTL, "IN", other, text))
            elif not value.startswith("!"):
                answer.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", kind, value))
    found = [answer.to_wire(max_size=0 if udp else 65_535)]  # 0: as the question allows
    if "STRAY" in marks:
        answer.id ^= 1
        found.insert(0, answer.to_wire())
    return found
