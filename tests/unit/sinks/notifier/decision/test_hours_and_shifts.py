"""Who is told when the hours of a route, or the shift of a rotation, begin and end."""

from schemas.policy import EscalationStep, Hours, Person, Quiet, Rotation, Route, Team
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

NIGHT = (Hours(begin="18:00", end="06:00"),)
DAYTIME = (Hours(begin="06:00", end="18:00"),)
UNTIL_DAY = 4 * HOUR
"""From `AT`, 02:00 UTC, to 06:00."""

BEFORE_DAY = UNTIL_DAY - MINUTE


def shifts() -> tuple[Route, Route, Team]:
    return (
        Route(name="day", urls=("json://day",), when=DAYTIME),
        Route(name="night", urls=("json://night",), when=NIGHT),
        Team(name="ops", routes=("day", "night")),
    )


def event(kind: str = "opened", **fields: object) -> object:
    because = {"closed_because": "recovered"} if kind == "closed" else {}
    values = {"event": kind, "event_id": f"{kind}-{fields.get('at', AT)}", "team": "ops"}
    return incident_event(**(values | because | fields))


def rotation(*people: str, since: str = "2026-11-30") -> Rotation:
    return Rotation(
        people=tuple(Person(name=one, urls=(f"json://{one}",)) for one in people),
        since=since,
        days=1,
        handover="06:00",
    )


def test_the_night_shift_is_told_at_night_and_of_the_end_by_day() -> None:
    there = Office(*shifts())
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + HOUR)
    assert there.told() == ["opened json://night"]
    there.take(event("closed", at=there.now))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told() == ["opened json://night", "closed json://night"]


def test_an_opening_that_nobody_confirmed_goes_to_the_shift_that_begins() -> None:
    there = Office(*shifts())
    there.answers["json://night"] = "unreachable"
    there.take(event())  # type: ignore[arg-type]
    there.wait(BEFORE_DAY)
    assert "opened json://day" not in there.told()
    there.wait(2 * MINUTE)
    assert there.told("json://day") == ["opened"]


def test_a_shift_that_was_not_told_in_its_hours_is_not_told_out_of_them() -> None:
    there = Office(*shifts())
    there.answers["json://night"] = "unreachable"
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + MINUTE)
    tried = len(there.told("json://night"))
    there.answers.clear()
    there.wait(HOUR)
    assert len(there.told("json://night")) == tried
    assert there.told("json://day") == ["opened"]
    assert there.whys("opened", "json://night") == ["the route is not on any more, and others are"]
    there.take(event("closed", at=there.now))  # type: ignore[arg-type]
    there.wait(DAY)
    assert there.told("json://day") == ["opened", "closed"]
    assert len(there.told("json://night")) == tried


def test_a_shift_that_may_have_been_told_is_told_of_the_end() -> None:
    there = Office(*shifts())
    there.wait(BEFORE_DAY)
    there.answers["json://night"] = "uncertain"
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(2 * MINUTE)
    there.answers.clear()
    there.take(event("closed", at=there.now))  # type: ignore[arg-type]
    there.wait(HOUR)
    assert there.told("json://night")[-1] == "closed"


def test_a_shift_that_nobody_relieves_is_told_late() -> None:
    day = Route(name="day", urls=("json://day",), when=DAYTIME)
    night = Route(name="night", urls=("json://night",), when=NIGHT)
    there = Office(day)
    there.wait(UNTIL_DAY + HOUR)
    there.answers["json://day"] = "unreachable"
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(12 * HOUR)
    there.answers.clear()
    there.wait(5 * MINUTE)
    assert there.told("json://day")[-1] == "opened"
    assert there.told("console://") == ["opened"]
    assert there.whys("opened", "json://day") == []
    there.route(night)
    there.wait(5 * MINUTE)
    assert there.told("json://night") == []


def test_what_was_held_in_one_shift_is_told_to_the_next_one_alone() -> None:
    hours = (Hours(begin="00:00", end="08:00"),)
    duty = Route(name="duty", rotation=rotation("ann", "bob"), quiet=Quiet(hours=hours))
    there = Office(duty)
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + HOUR)
    assert there.told() == []
    assert there.whys("opened", "json://ann")[-1] == "the route has somebody else on duty now"
    there.restart()
    there.wait(2 * HOUR)
    assert there.told() == ["opened json://bob"]


def test_a_handover_delays_no_escalation() -> None:
    step = EscalationStep(after_ms=10 * MINUTE, routes=("boss",))
    there = Office(
        Route(name="duty", rotation=rotation("ann", "bob"), escalate=(step,), default=True),
        Route(name="boss", urls=("json://boss",)),
    )
    there.answers["json://ann"] = "unreachable"
    there.wait(UNTIL_DAY - 8 * MINUTE)
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(9 * MINUTE)
    assert there.told("json://bob") == ["opened"]
    assert there.told("json://boss") == []
    there.wait(2 * MINUTE)
    assert there.told("json://boss") == ["opened"]


def test_who_is_on_duty_takes_the_place_of_a_colleague_also_if_others_were_told() -> None:
    there = Office(
        Route(name="duty", rotation=rotation("ann", "bob"), default=True),
        Route(name="log", urls=("json://log",), default=True),
    )
    there.answers["json://ann"] = "unreachable"
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + MINUTE)
    there.answers.clear()
    there.wait(HOUR)
    assert there.told("json://bob") == ["opened"]
    assert there.told("json://log") == ["opened"]
    assert there.whys("opened", "json://ann") == ["the route has somebody else on duty now"]


def test_who_was_on_stays_if_others_of_its_time_were_told() -> None:
    log = Route(name="log", urls=("json://log",))
    there = Office(*shifts()[:2], log, Team(name="ops", routes=("day", "night", "log")))
    there.answers["json://night"] = "unreachable"
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + MINUTE)
    there.answers.clear()
    there.wait(HOUR)
    assert there.told("json://log") == ["opened"]
    assert there.told("json://night")[-1] == "opened"
    assert there.told("json://day") == []


def test_the_shift_that_begins_is_told_of_what_was_on_its_way_and_did_not_arrive() -> None:
    there = Office(*shifts())
    there.wait(BEFORE_DAY)
    there.answers["json://night"] = "hangs"
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(2 * MINUTE)
    there.answers["json://night"] = "unreachable"
    there.land_all("unreachable")
    there.wait(MINUTE)
    assert there.told("json://day") == ["opened"]


def test_down_again_is_told_to_who_is_on_and_to_who_was_told() -> None:
    there = Office(*shifts())
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY)
    there.take(event("improved", at=there.now))  # type: ignore[arg-type]
    there.wait(MINUTE)
    there.take(event("worsened", at=there.now, episode=2))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told("json://night") == ["opened", "improved", "worsened"]
    assert there.told("json://day") == ["opened"]


def test_the_console_stands_in_until_the_hours_of_a_route_begin() -> None:
    there = Office(Route(name="day", urls=("json://day",), when=DAYTIME))
    there.take(event())  # type: ignore[arg-type]
    there.wait(BEFORE_DAY)
    assert there.told() == ["opened console://"]
    there.wait(2 * MINUTE)
    assert there.told() == ["opened console://", "opened json://day"]
    there.wait(DAY)
    assert len(there.sent) == 2


def test_who_is_on_duty_is_told_and_the_next_one_if_nobody_confirmed() -> None:
    route = Route(name="duty", urls=("json://log",), rotation=rotation("ann", "bob"))
    there = Office(route)
    there.answers |= {"json://ann": "unreachable", "json://log": "unreachable"}
    there.take(event())  # type: ignore[arg-type]
    there.wait(BEFORE_DAY)
    assert set(there.told()) == {"opened json://ann", "opened json://log"}
    there.wait(2 * MINUTE)
    assert there.told("json://bob") == ["opened"]


def test_a_recovery_after_a_handover_goes_to_who_was_told() -> None:
    there = Office(Route(name="duty", rotation=rotation("ann", "bob")))
    there.take(event())  # type: ignore[arg-type]
    there.wait(UNTIL_DAY + HOUR)
    there.route(Route(name="duty", rotation=rotation("ann", "bob"), severities=("critical",)))
    there.take(event("closed", at=there.now))  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told() == ["opened json://ann", "closed json://ann"]


def test_the_fallback_is_who_is_on_duty_then() -> None:
    there = Office(
        Route(name="all", urls=("json://all",), fallback=("duty",), default=True),
        Route(name="duty", rotation=rotation("ann", "bob"), default=False),
    )
    there.answers["json://all"] = "unreachable"
    there.wait(UNTIL_DAY - MINUTE)
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(5 * MINUTE)
    assert there.told("json://ann") == []
    assert there.told("json://bob") != []


def test_a_notifier_that_takes_over_after_a_change_of_shifts_tells_the_new_one() -> None:
    there = Office(*shifts())
    there.answers["json://night"] = "unreachable"
    there.take(event())  # type: ignore[arg-type]
    there.wait(BEFORE_DAY)
    there.now += 2 * MINUTE
    there.restart(calm=False)
    there.wait(WAIT_MS)
    assert there.told("json://day") == ["opened"]


def test_the_desk_wakes_at_quiet_hours_and_at_no_time_without_any() -> None:
    quiet = Quiet(hours=(Hours(begin="22:00", end="07:00"),))
    there = Office(Route(name="all", urls=("json://all",), quiet=quiet))
    assert there.desk.next_due(AT) == AT + 5 * HOUR
    there.wait(6 * HOUR)
    assert there.desk.next_due(there.now) == AT + 20 * HOUR
    assert Office(Route(name="all", urls=("json://all",))).desk.next_due(AT) is None


def test_a_clock_that_is_set_back_finds_the_change_again() -> None:
    there = Office(*shifts())
    there.wait(UNTIL_DAY + HOUR)
    there.now = AT
    there.turn()
    assert there.desk.next_due(AT) == AT + UNTIL_DAY


def test_a_clock_that_is_set_back_into_other_hours_has_their_shift_told() -> None:
    there = Office(*shifts())
    there.wait(UNTIL_DAY + HOUR)
    there.answers["json://day"] = "unreachable"
    there.take(event(at=there.now))  # type: ignore[arg-type]
    there.wait(MINUTE)
    there.answers.clear()
    there.now = AT
    there.turn()
    there.wait(5 * MINUTE)
    assert there.told("json://night") == ["opened"]
    assert there.whys("opened", "json://day") == ["the route is not on any more, and others are"]
