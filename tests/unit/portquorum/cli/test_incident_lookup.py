"""Which open incidents are meant by ids and targets."""

import pytest
from msgspec import structs

from portquorum.cli.errors import TroubleError, WrongUseError
from portquorum.cli.incident_lookup import chosen
from sinks.clickhouse.queries import Incident

DB = Incident(
    incident_id="3f2c9a1e-0000-5000-8000-000000000000",
    status="open",
    incident_type="unreachable",
    severity="critical",
    target="prod-db",
    name="Production DB",
    kind="tcp",
    host="db1.example.com",
    port=5432,
    team=None,
    verdicts={},
    reasons={},
    first_failed_at=1,
    opened_at=2,
    closed_at=None,
    closed_because=None,
    detect_s=0.001,
    open_s=0.999,
    duration_s=1.0,
    summary="It is down.",
    acknowledged_by=None,
)
SSH = structs.replace(
    DB,
    incident_id="3f9b0000-0000-5000-8000-000000000000",
    target="db1-ssh",
    name="SSH",
    port=22,
)
SLOW = structs.replace(
    DB, incident_id="a0000000-0000-5000-8000-000000000000", incident_type="slow", target="web",
    name="Web", host="2001:db8::1", port=443,
)  # fmt: skip
ALSO_DOWN = structs.replace(
    SLOW, incident_id="b0000000-0000-5000-8000-000000000000", incident_type="unreachable"
)
JOB = structs.replace(
    DB,
    incident_id="c0000000-0000-5000-8000-000000000000",
    target="backup",
    name="Backup",
    kind="heartbeat",
    host="",
    port=None,
)
OPEN = [DB, SSH, SLOW, ALSO_DOWN, JOB]


@pytest.mark.parametrize(
    ("ids", "targets", "found"),
    [
        (["3f2c"], [], [DB]),
        (["3F2C9A1E-0000-5000-8000-000000000000"], [], [DB]),
        (["a", "b", " c "], [], [SLOW, ALSO_DOWN, JOB]),
        (["3f9", "3f2c", "3f9b"], [], [SSH, DB]),
        ([], ["prod-db"], [DB]),
        ([], ["production db"], [DB]),
        ([], ["DB1.example.com:22"], [SSH]),
        ([], ["backup", "prod-db"], [JOB, DB]),
        (["3f2c"], ["prod-db", "db1-ssh"], [DB, SSH]),
    ],
)
def test_what_is_meant(ids: list[str], targets: list[str], found: list[Incident]) -> None:
    assert chosen(OPEN, ids, targets) == found


@pytest.mark.parametrize(
    ("ids", "targets", "error", "words"),
    [
        ([], [], WrongUseError, "expected the id of an incident, or --target TARGET"),
        ([""], [], WrongUseError, "expected the id of an incident, found ''"),
        (["3f"], [], WrongUseError, "2 open incidents have ids that begin with '3f', type more"),
        (["zz"], [], TroubleError, "begins with 'zz'; `portquorum incidents --open` lists them"),
        (["prod-db"], [], TroubleError, "'prod-db'; did you mean --target prod-db?"),
        ([], ["db1.example.com"], WrongUseError, "has 2 open incidents, name them by id: 3f2c9a1e"),
        ([], ["web"], WrongUseError, "(web, slow), b0000000-0000-5000-8000-000000000000 (web, unr"),
        ([], ["[2001:db8::1]:443"], WrongUseError, "has 2 open incidents"),
        (
            [],
            ["mail"],
            TroubleError,
            "no open incident is of a target with the id, name",
        ),
        ([], [""], TroubleError, "host ''"),
        (["3f2c", "zz"], [], TroubleError, "'zz'"),
    ],
)
def test_what_can_not_be_meant_is_one_sentence(
    ids: list[str], targets: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        chosen(OPEN, ids, targets)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_where_nothing_is_open_that_is_all_that_is_said() -> None:
    with pytest.raises(TroubleError, match=r"^no incident is open$"):
        chosen([], ["3f2c"], ["prod-db"])


def test_a_prefix_of_many_names_a_few() -> None:
    many = [structs.replace(DB, incident_id=f"d{number}") for number in range(9)]
    with pytest.raises(WrongUseError) as caught:
        chosen(many, ["d"], [])
    assert str(caught.value).count("(prod-db, unreachable)") == 5
    assert str(caught.value).endswith(", …")
