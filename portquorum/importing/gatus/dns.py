"""Endpoints of Gatus with `dns:` as targets of kind `dns`."""

import re
from typing import Any, Final

from portquorum.importing.gatus.check import (
    NEVER,
    Check,
    Endpoint,
    host_and_port,
    shared_conditions,
)
from portquorum.importing.gatus.condition import NO_ANSWER, Condition, glob_regex, holds, number
from portquorum.importing.gatus.texts import LeaveOutError

TIMEOUT_S: Final = 2.0
"""Gatus' own, whatever `client.timeout` says."""

_CODES: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_OURS: Final = frozenset({"NOERROR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"})
_FORM: Final = {
    **dict.fromkeys(("A", "AAAA", "CNAME", "NS", "PTR"), "^{}$"),
    "MX": "^[0-9]+ {}$",
    "TXT": '^"{}"$',
}
"""A record as it is in a zone, by what Gatus has of it. Of SRV it is in another order."""

_LAST: Final = "any of several records will do; Gatus looks at the last one alone"


def dns(endpoint: Endpoint) -> Check:
    """The target that asks a name server.

    Raises:
        LeaveOutError, MissingVariableError, WrongValueError: why there is none.
    """
    question = endpoint.fields.child("dns")
    text = endpoint.texts.known(endpoint.url)
    host, port = host_and_port(text.rpartition("://")[2], "", 53)
    name = endpoint.texts.known(question.text("query-name"))
    record = question.text("query-type", "A").upper()
    check = Check({"kind": "dns", "host": host}, {"name": name.rstrip(".") or "."})
    if port != 53:
        check.target["port"] = port
    if record != "A":
        check.probe["record"] = record
    codes = [one for one in endpoint.conditions if _about(one) == "[DNS_RCODE]"]
    others = [one for one in endpoint.conditions if one not in codes]
    everything, endpoint.conditions = endpoint.conditions, others
    left = shared_conditions(endpoint, check, body=True)
    endpoint.conditions = everything
    demands = [demand for one in left if (demand := _body(one, record, check))]
    _rcode(codes, demands, check)
    return check


def _about(condition: Condition) -> str:
    return condition.subject.placeholder if condition.subject is not None else ""


def _rcode(codes: list[Condition], demands: list[str], check: Check) -> None:
    """The code that is expected, from the conditions on it and on the records."""
    fine = [
        code
        for code in _CODES
        if all(holds(one, {**NO_ANSWER, "[DNS_RCODE]": code}) for one in codes)
    ]
    if not fine:
        raise LeaveOutError(f"{NEVER}: {', '.join(one.text for one in codes)}")
    if "none" in demands:
        if "NXDOMAIN" not in fine or len(demands) > 1:
            raise LeaveOutError("that a name has no such record is no option of kind dns")
        check.probe["rcode"] = "NXDOMAIN"
        check.differs("the name must not be there (NXDOMAIN); Gatus takes one without records, too")
        return
    if demands:
        if "NOERROR" not in fine:
            raise LeaveOutError("records beside another code than NOERROR are no option")
        return
    chosen = "NOERROR" if "NOERROR" in fine else next((c for c in fine if c in _OURS), None)
    if chosen is None:
        raise LeaveOutError(f"the code {fine[0]} is no option of kind dns")
    check.probe["rcode"] = chosen
    if len(fine) > 1:
        check.differs(f"the code must be {chosen}; Gatus takes {', '.join(fine)}")


def _body(condition: Condition, record: str, check: Check) -> str:
    """What a condition on `[BODY]` demands: `some` record, `none`, or nothing (empty).

    What the record must be is written into the options.
    """
    subject, (call, inner) = condition.subject, condition.call
    if subject is None or subject.path:
        raise LeaveOutError(f"{NEVER}: {condition.text}")
    if subject.function:
        return _presence(condition)
    if condition.operator not in {"==", "!="}:
        raise LeaveOutError(f"a record is not compared as a number: {condition.text}")
    if not inner:
        return "none" if condition.operator == "==" else "some"
    if condition.operator == "!=":
        raise LeaveOutError(f"what no record must be is no option: {condition.text}")
    if call == "pat" and set(inner) == {"*"}:
        return ""
    if {"expect", "expect_regex"} & check.probe.keys():
        raise LeaveOutError("one condition on the record alone can be taken over")
    check.probe |= _record(call, inner, record)
    check.differs(_LAST)
    return "some"


def _record(call: str, inner: str, record: str) -> dict[str, Any]:
    """The option for what a record must be."""
    if call == "pat":
        return {"expect_regex": _formed(record, [glob_regex(inner)[1:-1]])}
    if call == "any":
        texts = [re.escape(one.strip()) for one in inner.split(",")]
        return {"expect_regex": _formed(record, texts)}
    if record in _FORM and record != "MX":
        return {"expect": [inner]}
    return {"expect_regex": _formed(record, [re.escape(inner)])}


def _formed(record: str, texts: list[str]) -> str:
    form = _FORM.get(record)
    if form is None:
        raise LeaveOutError(f"a record of type {record} is written otherwise here")
    inner = texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"
    return form.replace("{}", inner)


def _presence(condition: Condition) -> str:
    """`len([BODY]) > 0`, `has([BODY]) == true`."""
    subject = condition.subject
    is_len = subject is not None and subject.function == "len"
    empty = holds(condition, NO_ANSWER)
    full = holds(condition, {**NO_ANSWER, "[BODY]": "x" * 9})
    if empty == full:
        if empty and not is_len:
            return ""
        raise LeaveOutError(f"the length of a record is not compared: {condition.text}")
    if is_len and number(condition.right) > 1:
        raise LeaveOutError(f"the length of a record is not compared: {condition.text}")
    return "none" if empty else "some"
