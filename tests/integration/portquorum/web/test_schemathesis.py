"""Schemathesis asks the API what its document allows, and what it does not.

No answer may be a 5xx, or one that the document does not have; what the document forbids is
refused, what it allows is answered.
"""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from portquorum.access.principal import Principal
from portquorum.editing.page_inventory import PageInventory
from portquorum.sharing.share_keys import ShareKeys
from portquorum.status_editing.editor import StatusEditor
from portquorum.web.access.visit import Visit
from portquorum.web.office.office import RecordsOffice
from tests.integration.portquorum.web.process import Served
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.editing.world import (
    PARTITIONS,
    FakePauses,
    FakePublished,
    FakeWrites,
    World,
)
from tests.unit.portquorum.status_editing.pages_of_tests import QUICK, Targets
from tests.unit.portquorum.web.changers import FakeActs, FakeEdits
from tests.unit.portquorum.web.fakes import Made

READS = [
    *("overview", "groups", "targets", "target", "target_history", "target_checks"),
    *("target_explained", "prometheus_targets"),
    *("incidents", "incident", "incident_history", "past_incidents", "regions"),
    *("maintenances", "silences", "results", "uptime", "report"),
    *("target_entry", "inventory", "incident_notes", "silence", "maintenance"),
    *("me", "users", "user", "tokens", "audit"),
    *("status_pages", "status_page", "page_keys", "posts", "post"),
    *("heartbeats", "heartbeat_keys", "keys"),
]
CHANGES = [
    *("put_target_entry", "patch_target_entry", "delete_target_entry", "make_target"),
    *("check_entry", "check_target", "pause_target", "resume_target", "change_targets"),
    *("undo_change", "acknowledge_incident", "resolve_incident", "make_note", "make_silence"),
    *("end_silence", "put_maintenance", "delete_maintenance", "put_user", "delete_user"),
    *("make_invitation", "make_token", "revoke_token"),
    *("put_status_page", "patch_status_page", "delete_status_page"),
    *("make_page_key", "revoke_page_key", "make_key", "revoke_key"),
    *("make_heartbeat_key", "revoke_heartbeat_key"),
    *("make_post", "change_post", "delete_post"),
]
OWN = {"make_token", "revoke_token"}
"""What a viewer may change: tokens of their own, which can do no more."""
BEYOND = {"cursor", "since", "until", "days", "target", "fields", "window"}


@pytest.fixture(scope="session")
def api(served: Served) -> OpenApiSchema:
    place = f"http://127.0.0.1:{served.port}"
    return schemathesis.openapi.from_url(f"{place}/api/v1/openapi.json")


def test_every_operation_is_asked(api: OpenApiSchema) -> None:
    found = [result.ok().definition.raw["operationId"] for result in api.get_all_operations()]
    asked = [*READS, *CHANGES, "events"]
    assert sorted(found) == sorted(asked), "`events` does not end: test_server.py"


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", READS)
def test_the_api_is_what_its_document_says(
    api: OpenApiSchema, name: str, mode: GenerationMode
) -> None:
    operation = api.find_operation_by_id(name)

    if mode is GenerationMode.NEGATIVE and not any(operation.iter_parameters()):
        pytest.skip("it has no parameters")

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        answer = case.call(timeout=20)
        excluded = [positive_data_acceptance] if is_beyond_schemas(answer) else []
        case.validate_response(answer, excluded_checks=excluded)

    asked()


def is_beyond_schemas(answer: Response) -> bool:
    """Whether only that is wrong which no schema says: cursors, orders of times, one of two."""
    if answer.status_code != 400:
        return False
    return {one["field"] for one in answer.json().get("errors", ())} <= BEYOND


PEOPLE = {
    "admin": Principal(name="ada", scope="admin", via="token"),
    "operator": Principal(name="olga", scope="operator", via="token"),
    "team": Principal(name="tom", scope="operator", via="token", teams=("payments",)),
    "viewer": Principal(name="vera", scope="viewer", via="token"),
}


SECRET = re.compile(r"pq_[0-9a-f]{8}_\S{20}|invitation=\S{20}|argon2id\$.*argon2id")
"""Secrets as they are: a token, a link. Of passwords only hashes may be on [web]."""


class TokenDoor:
    """Knows people by tokens that are their roles' names; everybody else is a stranger."""

    def visit(self, scope: Any) -> Visit:
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        return Visit(principal=PEOPLE.get(given.removeprefix("Bearer ")))


class Changeable:
    """The server in a thread, over the real inventory and office of a page, with topics in memory.

    What acts would write to Kafka is remembered; nothing is checked over a network.
    """

    def __init__(self) -> None:
        self.world = World()
        self.journal = MemoryJournal()
        self.acts, checks = FakeActs(), FakeEdits()
        published = FakePublished(self.world)
        asyncio.run(published.caught_up())
        edits = PageInventory(
            self.journal, published, FakeWrites(self.world), FakePauses(self.world), PARTITIONS
        )
        edits.check = checks.check  # type: ignore[method-assign]
        edits.check_now = checks.check_now  # type: ignore[method-assign]
        parts = {
            "journal": self.journal,
            "acts": self.acts,
            "edits": edits,
            "office": RecordsOffice(self.journal),
            "status_edits": StatusEditor(self.journal, Targets(), QUICK),
            "keys": ShareKeys(self.journal),
        }
        app = Made(parts=parts, door=TokenDoor()).app
        config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def done(self) -> tuple[int, int, str, int]:
        """How much was written to each topic, and asked of acts."""
        world = self.world
        written = len(self.journal.log.records)
        return written, len(world.targets), repr(world.policy), len(self.acts.asked)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture(scope="module")
def changeable() -> Iterator[Changeable]:
    one = Changeable()
    yield one
    one.close()


@pytest.fixture(scope="module")
def changes(changeable: Changeable) -> OpenApiSchema:
    place = f"http://127.0.0.1:{changeable.port}"
    headers = {"Authorization": "Bearer viewer"}
    return schemathesis.openapi.from_url(f"{place}/api/v1/openapi.json", headers=headers)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_what_the_document_says(
    changes: OpenApiSchema, name: str, mode: GenerationMode
) -> None:
    """By an admin, who may do everything."""
    operation = changes.find_operation_by_id(name)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        answer = case.call(timeout=20, headers={"Authorization": "Bearer admin"})
        # What no schema says: conditions, names that there are, one of two ends, ids that can be
        # made of a name; who asks is a test of its own.
        excluded = [positive_data_acceptance, ignored_auth, unsupported_method]
        if answer.status_code == 412:  # a condition is looked at before the body's fields
            excluded.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=excluded)
        if name not in {"make_token", "make_invitation", "make_page_key"}:
            assert not SECRET.search(answer.text)

    asked()


@pytest.mark.parametrize("role", ["viewer", "stranger", "team", "operator"])
def test_nobody_does_more_than_their_scope(
    changes: OpenApiSchema,
    changeable: Changeable,
    role: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    admins = {
        one.ok().definition.raw["operationId"]
        for one in changes.get_all_operations()
        if one.ok().definition.raw["x-portquorum-scope"] == "admin"
    }
    for name in (*CHANGES, "me", "users", "audit", "tokens"):
        operation = changes.find_operation_by_id(name)
        is_beyond = name in admins or (role == "viewer" and name in set(CHANGES) - OWN)
        before = changeable.done()

        @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        def asked(case: schemathesis.Case) -> None:
            answer = case.call(timeout=20, headers={"Authorization": f"Bearer {role}"})
            excluded = [positive_data_acceptance, ignored_auth, unsupported_method]
            case.validate_response(answer, excluded_checks=excluded)
            if role == "stranger":
                assert answer.status_code == 401
                assert "schema" not in answer.text
            elif is_beyond:  # noqa: B023 - asked at once
                assert answer.status_code == 403
            if name != "make_token":  # noqa: B023
                assert not SECRET.search(answer.text)

        asked()
        if role == "stranger" or is_beyond:
            assert changeable.done() == before, f"{role} changed something by {name}"
    out, err = capfd.readouterr()
    assert not SECRET.search(out + err)
    assert not SECRET.search(changeable.journal.log.texts())
