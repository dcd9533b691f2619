"""Commands of the pages that do not end by themselves or take long: who runs them."""

import signal
from typing import Final, NamedTuple

_UNTIL: Final = "it runs until a signal ends it"
_LONG: Final = "it takes minutes; the test runs a short form"
_SERVICES: Final = "it starts services of its own"
_ROLES_END: Final = "tests/integration/portquorum/test_roles_end.py"
_ROLES: Final = f"{_ROLES_END}::test_with_a_broker_that_stands_still"
_UP: Final = "tests/system/test_up.py::"
_DRILL: Final = "tests/system/test_drill.py::test_from_the_closed_port_to_the_message"
_EVENTS: Final = "tests/integration/portquorum/cli/test_events.py::"
_PROBE_BENCH: Final = "tests/unit/portquorum/bench/test_probe_bench.py::"
_WHOLE_PROBE: Final = "tests/integration/portquorum/bench/test_probe_whole.py::"
_BENCHES: Final = "tests/integration/portquorum/bench/test_benches.py::"
_NOTIFY_BENCH: Final = "tests/integration/portquorum/bench/test_notify_bench.py::"


class Elsewhere(NamedTuple):
    """A pattern (as of `ways`), why it is not run here, and the test (node id) that runs it.

    That test's file, or one of `helpers`, has the names of the command and of its options; those
    in `known_as` it has in another form.
    """

    pattern: str
    why: str
    test: str
    helpers: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()


ELSEWHERE: Final = (
    Elsewhere("up", _UNTIL, f"{_UP}test_from_the_sample_to_the_first_incident_and_a_clean_end"),
    Elsewhere(
        "up -i *",
        _UNTIL,
        f"{_UP}test_an_emptied_inventory_stops_no_prober_and_the_second_ctrl_c_ends_at_once",
    ),
    Elsewhere("up *--data *", _UNTIL, f"{_ROLES_END}::test_up"),
    Elsewhere(
        "demo", _LONG, "tests/system/test_demo.py::test_every_stage_is_shown_and_the_page_is_live"
    ),
    Elsewhere("drill", "it opens and closes a port and waits for each stage", _DRILL),
    Elsewhere("drill --within 30s --json", "as without options", _DRILL),
    Elsewhere("probe --region *", _UNTIL, _ROLES),
    Elsewhere(
        "probe --region * --source *",
        _UNTIL,
        "tests/system/test_quorum.py::test_quorum_decides",
        helpers=("tests/system/stack.py",),
    ),
    Elsewhere("stream", _UNTIL, _ROLES),
    Elsewhere("sink", _UNTIL, _ROLES),
    Elsewhere(
        "sink --reread",
        "it must be the only sink of its topics",
        "tests/integration/sinks/clickhouse/test_lost_rows.py"
        "::test_a_sink_rereads_what_an_older_copy_lacks",
    ),
    Elsewhere("notify", _UNTIL, _ROLES),
    Elsewhere("receiver*", _UNTIL, _ROLES),
    Elsewhere("web", _UNTIL, _ROLES),
    Elsewhere("web --listen *", _UNTIL, _ROLES),
    Elsewhere(
        "web --fd 3",
        "`up` starts it so, with a descriptor of its own",
        f"{_UP}test_from_the_sample_to_the_first_incident_and_a_clean_end",
        helpers=("portquorum/supervisor/fleet.py",),
    ),
    Elsewhere("dev kafka*", _UNTIL, f"{_ROLES_END}::test_dev_kafka_whose_broker_stands_still"),
    Elsewhere(
        "dev clickhouse*",
        _UNTIL,
        "tests/integration/portquorum/test_passwords_hidden.py"
        "::test_dev_clickhouse_shows_no_password_and_a_line_that_works",
        known_as=("--data",),  # by PORTQUORUM_DATA_DIR
    ),
    Elsewhere("events --follow*", _UNTIL, f"{_EVENTS}test_following_shows_what_comes_until_ctrl_c"),
    Elsewhere(
        "events -f *", _UNTIL, f"{_EVENTS}test_following_from_now_on", known_as=("-f",)
    ),  # --follow
    Elsewhere(
        "topics grow *",
        "all roles but the sink must stand",
        "tests/system/test_grow.py::test_people_are_told_once_before_and_after",
    ),
    Elsewhere(
        "explain ord",
        "a line that the shell completes",
        "tests/unit/portquorum/cli/completion/test_completion.py::test_a_line_goes_on",
    ),
    Elsewhere(
        "bench probe --parts engines *",
        _LONG,
        f"{_PROBE_BENCH}test_every_engine_runs_saturated_and_at_a_rate",
    ),
    Elsewhere(
        "bench probe --parts prober *",
        _SERVICES,
        f"{_WHOLE_PROBE}test_the_probers_checks_are_counted_in_a_steady_time",
        known_as=("probe", "--parts", "--rate"),
    ),
    Elsewhere(
        "bench probe --peers *",
        "programs of others are built first",
        f"{_PROBE_BENCH}test_a_peer_that_is_not_there_is_left_out_with_a_word_how_to_get_it",
    ),
    Elsewhere(
        "bench notify",
        _SERVICES,
        f"{_NOTIFY_BENCH}test_a_burst_reaches_every_route_although_channels_hang",
    ),
    Elsewhere(
        "bench notify --storm",
        _SERVICES,
        f"{_NOTIFY_BENCH}test_a_storm_is_few_messages_and_one_a_host_without_an_interval",
        known_as=("--storm",),
    ),
    *(
        Elsewhere(f"bench {name}*", _LONG, f"{_BENCHES}test_it_runs_and_counts")
        for name in ("outage", "detect", "page", "receiver", "codec", "replay")
    ),
    *(
        Elsewhere(f"bench {name}*", _LONG, f"{_BENCHES}test_a_backlog_is_timed")
        for name in ("stream", "sink")
    ),
    Elsewhere("bench status", _LONG, f"{_BENCHES}test_it_runs_and_counts"),
    Elsewhere("bench status-page", _LONG, f"{_BENCHES}test_it_runs_and_counts"),
)


class Started(NamedTuple):
    """A command that is begun here; when it has said `says`, SIGTERM ends it with `code`."""

    pattern: str
    says: str
    code: int = 0


STARTED: Final = (Started("health --watch 5s", "kafka", code=-signal.SIGTERM),)
