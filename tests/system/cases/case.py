"""A case: servers that behave as told, one check of them, and the right answer.

A file of cases is a JSON list (peers.json, trackers.json, reports.json). The fields of a case, all
but name, why, and either check or inventory may be left out:

  name, why    what it is about, with references
  serve        servers: [address, port, action …] (said.py); {pki} is the folder of certificates
  names        records of the name server at 127.0.0.1 (name_server.py)
  hosts        lines of /etc/hosts; `127.0.0.1 localhost` comes first, unless one names localhost
  resolv       lines of /etc/resolv.conf after the name server's
  nsswitch     the line `hosts:` of /etc/nsswitch.conf ("files dns" without it)
  drop         addresses whose packets are dropped
  env          environment variables of the check; {pki} as above
  check        what is asked: [place, kind, probe, timeout]; probe and timeout may be left out
  tries        checks that are made before the one that is judged (0)
  inventory    text of an inventory file, for `inventory check` in place of a check
  want         status, reason, address, http_status, exit (a value, or a list of which one must
               be); detail, detail_not, banner, output, output_not (parts of the text, whatever
               their case); cert_days [from, to] (null: no certificate); within_ms
"""

import json
import time
from pathlib import Path
from typing import Any

Case = dict[str, Any]
Answer = dict[str, Any]

_FIELDS = {
    "name", "why", "serve", "names", "hosts", "resolv", "nsswitch", "drop", "env", "check",
    "tries", "inventory", "want",
}  # fmt: skip
_EXACT = ("status", "reason", "address", "http_status", "exit")
_PARTS = ("detail", "banner", "output")
_WANTS = {*_EXACT, *_PARTS, *(f"{part}_not" for part in _PARTS), "cert_days", "within_ms"}


def cases_of(file: Path) -> list[Case]:
    """The cases of a file. Raises `ValueError` for one that could hold whatever is answered."""
    cases: list[Case] = json.loads(file.read_text(encoding="utf-8"))
    for case in cases:
        if unknown := set(case) - _FIELDS | set(case["want"]) - _WANTS:
            raise ValueError(f"{file.name}: {case['name']}: unknown fields {sorted(unknown)}")
        if not case["want"] or ("check" in case) == ("inventory" in case):
            raise ValueError(f"{file.name}: {case['name']}: nothing is wanted, or nothing is asked")
    return cases


def shortfalls(answer: Answer, want: dict[str, Any]) -> list[str]:
    """What of `answer` is not as wanted, for people; empty if it holds."""
    wrong = []
    for field in _EXACT:
        if field in want:
            fine = want[field] if isinstance(want[field], list) else [want[field]]
            if answer.get(field) not in fine:
                wrong.append(f"{field} is {answer.get(field)!r}, not {want[field]!r}")
    for field in _PARTS:
        text = (answer.get(field) or "").lower()
        wrong += [
            f"{field} {text!r} lacks {part!r}"
            for part in want.get(field, [])
            if part.lower() not in text
        ]
        wrong += [
            f"{field} {text!r} has {part!r}"
            for part in want.get(f"{field}_not", [])
            if part.lower() in text
        ]
    if "cert_days" in want:
        wrong += _days(answer, want["cert_days"])
    if "within_ms" in want and not (answer.get("total_ms") or 1e9) <= want["within_ms"]:
        wrong.append(f"total_ms is {answer.get('total_ms')}, more than {want['within_ms']}")
    return wrong


def _days(answer: Answer, fine: list[float] | None) -> list[str]:
    ends = answer.get("cert_expires_at")
    days = None if ends is None else round((ends / 1000 - time.time()) / 86_400, 2)
    if fine is None:
        return [] if days is None else [f"a certificate ends in {days} days, none is wanted"]
    if days is None or not fine[0] <= days <= fine[1]:
        return [f"the certificate ends in {days} days, not in {fine[0]} to {fine[1]}"]
    return []
