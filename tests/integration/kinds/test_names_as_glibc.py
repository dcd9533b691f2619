"""Names are looked up as glibc does it: ours against getaddrinfo(3), with an /etc of their own."""

import json
import subprocess
import sys
from typing import Any, Final

import pytest

pytestmark = pytest.mark.root

_SETUP: Final = """
set -e
ip link set lo up
ip address add 2001:db8::1/64 dev lo nodad
mount -t tmpfs none "$1"
cp /etc/host.conf /etc/gai.conf /etc/passwd "$1" 2>/dev/null || true
mount --bind "$1" /etc
shift
exec "$@"
"""

# For each case: the files are written, then each name is asked for, by glibc and by us.
_ASK: Final = '''
import asyncio, json, pathlib, socket, subprocess, sys, threading
import dns.message, dns.rcode, dns.rrset
from producers.checks.resolver import Resolver

THEIRS = """
import json, socket, sys
found = []
for name in sys.argv[1:]:
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        rows = []
    found.append(list(dict.fromkeys(row[4][0] for row in rows)))
print(json.dumps(found))
"""

zone = {}
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))

def serve():
    while True:
        data, peer = server.recvfrom(4096)
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        answer = dns.message.make_response(query)
        if zone.get(name) == "SERVFAIL":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", zone[name]))
        server.sendto(answer.to_wire(), peer)

threading.Thread(target=serve, daemon=True).start()

def put(name, text):
    path = pathlib.Path("/etc", name)
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_bytes(text.encode("latin-1"))

def theirs(names):
    text = subprocess.run(
        [sys.executable, "-c", THEIRS, *names], capture_output=True, text=True, check=True
    ).stdout
    return json.loads(text)

async def ours(names):
    resolver = Resolver()
    found = []
    for name in names:
        done = asyncio.get_running_loop().create_future()
        resolver.lookup(name, done.set_result)
        found.append([address.ip for address in (await done).addresses])
    resolver.close()
    return found

answers = []
for case in json.loads(sys.argv[1]):
    zone.clear()
    zone.update(case["zone"])
    put("hosts", case["hosts"])
    put("nsswitch.conf", case["nsswitch"])
    put("resolv.conf", "options timeout:1 attempts:1\\n" + case["resolv"])
    answers.append([theirs(case["names"]), asyncio.run(ours(case["names"]))])
print(json.dumps(answers))
'''

_HOSTS: Final = """
127.0.0.11 web1.lan web.lan
127.0.0.12 web2.lan web.lan # lost.lan
127.0.0.13\tTABS.lan\t\talias.lan \r
127.0.0.14 twice.lan
127.0.0.15 twice.lan twice.lan
127.0.0.11 other.lan
  127.0.0.16 indented.lan
2001:db8::16 indented.lan
::ffff:127.0.0.17 mapped.lan
127.1 short.lan
127.0.0.018 octal.lan
fe80::1%lo zone.lan
300.0.0.1 broken.lan
127.0.0.19
127.0.0.20 under_score.lan final.lan.
#127.0.0.21 commented.lan
127.0.0.22 db
2001:DB8:0:0::23 six.lan
127.0.0.24 nul.lan \0 after.lan
127.0.0.25 last.lan"""
_NAMES: Final = """
web1.lan web2.lan web.lan lost.lan tabs.lan alias.lan twice.lan other.lan indented.lan mapped.lan
short.lan octal.lan zone.lan broken.lan under_score.lan final.lan final.lan. commented.lan db
six.lan nul.lan after.lan last.lan WEB1.lan web1.lan. in.dns in.both
""".split()  # noqa: SIM905


def case(
    *names: str,
    nsswitch: str | None = "hosts: files dns\n",
    hosts: str | None = "127.0.0.31 in.both\n127.0.0.32 in.files\n",
    resolv: str = "nameserver 127.0.0.1\n",
) -> dict[str, Any]:
    zone = {
        "in.dns": "127.0.0.41",
        "in.both": "127.0.0.42",
        "failing.dns": "SERVFAIL",
        "short.search.test": "127.0.0.43",
        "a.b.search.test": "127.0.0.44",
    }
    asked = names or ("in.both", "in.files", "in.dns", "nowhere.test")
    return {
        "names": asked,
        "nsswitch": nsswitch,
        "hosts": hosts,
        "resolv": resolv,
        "zone": zone,
    }


_SEARCH: Final = "nameserver 127.0.0.1\nsearch search.test\n"
CASES: Final = {
    "the hosts file": case(*_NAMES, hosts=_HOSTS),
    "no final newline in nsswitch": case(nsswitch="hosts: dns"),
    "no nsswitch": case(nsswitch=None),
    "nsswitch without hosts": case(nsswitch="passwd: files\n"),
    "dns first": case(nsswitch="hosts: dns files\n"),
    "files alone": case(nsswitch="hosts: files\n"),
    "dns alone": case(nsswitch="hosts: dns\n"),
    "return after files": case(nsswitch="hosts: files [NOTFOUND=return] dns\n"),
    "return after no hosts file": case(nsswitch="hosts: files [NOTFOUND=return] dns\n", hosts=None),
    "return unless unavailable": case(nsswitch="hosts: dns [!UNAVAIL=return] files\n"),
    "several criteria": case(nsswitch="hosts: dns [ NOTFOUND=continue UNAVAIL=return ] files\n"),
    "continue after success": case(nsswitch="hosts: files [success=continue] dns\n"),
    "others that are not installed": case(
        nsswitch="hosts: mymachines nosuch [NOTFOUND=return] files dns # dns\n"
    ),
    "the last line counts": case(nsswitch="hosts: dns\n  hosts : files\n#hosts: dns\n"),
    "a server that fails, then files": case(
        "failing.dns", nsswitch="hosts: dns files\n", hosts="127.0.0.33 failing.dns\n"
    ),
    "search": case("short", "a.b", "a.b.", "in.dns", "nowhere", resolv=_SEARCH),
    "ndots": case("short", "a.b", "in.dns", resolv=_SEARCH + "options ndots:3\n"),
    "no resolv.conf options at all": case("in.dns", resolv=""),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    etc = tmp_path_factory.mktemp("etc")
    done = subprocess.run(
        [
            *("unshare", "--net", "--mount", "sh", "-c", _SETUP, "sh", str(etc)),
            *(sys.executable, "-c", _ASK, json.dumps(list(CASES.values()))),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_names_are_found_as_glibc_finds_them(name: str, answers: dict[str, Any]) -> None:
    theirs, ours = answers[name]
    asked = CASES[name]["names"]
    assert dict(zip(asked, ours, strict=True)) == dict(zip(asked, theirs, strict=True))


def test_glibc_has_an_answer_to_compare_with(answers: dict[str, Any]) -> None:
    theirs, _ = answers["the hosts file"]
    found = dict(zip(_NAMES, theirs, strict=True))
    assert found["web1.lan"] == ["127.0.0.11"]
    assert found["web.lan"] == ["127.0.0.11", "127.0.0.12"]
    assert found["in.dns"] == ["127.0.0.41"]
