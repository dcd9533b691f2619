"""Where a setting comes from, and what somebody reads who made a mistake in one."""

from pathlib import Path

import pytest

from foundation.settings import (
    DEFAULT_CLICKHOUSE,
    DEFAULT_KAFKA,
    Settings,
    SettingsError,
    default_data_dir,
    load,
    misspelt,
)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment whose data directory is empty, so that no running service shows."""
    return {"PORTQUORUM_DATA_DIR": str(tmp_path / "data")}


def refused(env: dict[str, str], directory: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(env, directory)
    return str(caught.value)


def test_without_anything_the_defaults_hold(tmp_path: Path, env: dict[str, str]) -> None:
    settings = load(env, tmp_path)
    assert settings == Settings(data_dir=tmp_path / "data")
    assert (settings.kafka, settings.clickhouse) == (DEFAULT_KAFKA, DEFAULT_CLICKHOUSE)


def test_the_environment_wins_over_the_file_over_running_services(
    tmp_path: Path, env: dict[str, str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "services.json").write_text(
        '{"kafka":"127.0.0.1:1001","clickhouse":"http://127.0.0.1:1002/portquorum"}'
    )
    assert load(env, tmp_path).kafka == "127.0.0.1:1001"
    (tmp_path / "portquorum.toml").write_text('kafka = "127.0.0.1:2001"\npartitions = 64\n')
    settings = load(env, tmp_path)
    assert (settings.kafka, settings.partitions) == ("127.0.0.1:2001", 64)
    assert settings.clickhouse == "http://127.0.0.1:1002/portquorum"
    settings = load(env | {"PORTQUORUM_KAFKA": "127.0.0.1:3001"}, tmp_path)
    assert (settings.kafka, settings.partitions) == ("127.0.0.1:3001", 64)


def test_a_named_file_is_read_in_place_of_the_directorys(
    tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "portquorum.toml").write_text("partitions = 64\n")
    other = tmp_path / "other.toml"
    other.write_text("partitions = 8\n")
    assert load(env | {"PORTQUORUM_CONFIG": str(other)}, tmp_path).partitions == 8


def test_text_of_the_environment_becomes_numbers_and_paths(
    tmp_path: Path, env: dict[str, str]
) -> None:
    settings = load(
        env | {"PORTQUORUM_PARTITIONS": "32", "PORTQUORUM_CHECKPOINT_INTERVAL_S": "0.5"}, tmp_path
    )
    assert (settings.partitions, settings.checkpoint_interval_s) == (32, 0.5)
    assert settings.data_dir == tmp_path / "data"


def test_kafka_may_be_written_as_a_url(tmp_path: Path, env: dict[str, str]) -> None:
    found = load(env | {"PORTQUORUM_KAFKA": " kafka://a:1,b:2 "}, tmp_path)
    assert found.kafka == "a:1,b:2"


def test_variables_of_others_are_no_settings(tmp_path: Path, env: dict[str, str]) -> None:
    # PORTQUORUM_TEST_… and a shell's own variables are not ours to refuse.
    load(env | {"PORTQUORUM_TEST_CLICKHOUSE": "x", "PORTQUORUM_KAFKA_HOME": "y"}, tmp_path)


def test_a_broken_announcement_is_ignored(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "data").mkdir()
    for broken in (b"", b"{", b"[]", b'{"kafka":1}', b'{"kafka":"\xff"}'):
        (tmp_path / "data" / "services.json").write_bytes(broken)
        assert load(env, tmp_path).kafka == DEFAULT_KAFKA


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PARTITIONS", "0", ">= 1"),
        ("PARTITIONS", "many", "int"),
        ("REPLICATION_FACTOR", "10", "<= 9"),
        ("CHECKPOINT_INTERVAL_S", "0", ">= 0.1"),
        ("TOPIC_PREFIX", "a b", "regex"),
        ("LOG_LEVEL", "loud", "Invalid enum value"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "Invalid enum value"),
        ("LINKS", "monitor.example.com", "expected http[s]://"),
        ("LINKS", "https://monitor.example.com/?a=b", "expected http[s]://"),
        ("LINKS", "https://monitor.example.com\n", "expected http[s]://"),
        ("LINKS_LISTEN", "9406", "expected host:port"),
        ("LINKS_LISTEN", "127.0.0.1:70000", "expected host:port"),
        ("KAFKA", "localhost", "expected host:port"),
        ("KAFKA", "localhost:0", "expected host:port"),
        ("KAFKA", "localhost:65536", "expected host:port"),
        ("KAFKA", "localhost:9092,", "expected host:port"),
        ("KAFKA", ":9092", "expected host:port"),
        ("CLICKHOUSE", "localhost:8123", "expected http[s]://"),
        ("CLICKHOUSE", "http://localhost:99999/db", "expected http[s]://"),
        ("CLICKHOUSE", "http:///db", "expected http[s]://"),
        ("CLICKHOUSE", "http://localhost:0/db", "expected http[s]://"),
    ],
)
def test_a_wrong_variable_is_named_with_what_was_found(
    tmp_path: Path, env: dict[str, str], variable: str, value: str, expected: str
) -> None:
    text = refused(env | {f"PORTQUORUM_{variable}": value}, tmp_path)
    assert text.startswith(f"PORTQUORUM_{variable}: ")
    assert expected in text
    assert repr(value.rpartition(",")[2]) in text or repr(value) in text
    assert "\n" not in text


def test_a_wrong_value_in_the_file_is_named_with_the_file(
    tmp_path: Path, env: dict[str, str]
) -> None:
    path = tmp_path / "portquorum.toml"
    path.write_text("partitions = 0\n")
    text = refused(env, tmp_path)
    assert text.startswith(f"{path}: partitions: ")
    assert text.endswith("found 0")


def test_an_unknown_key_in_the_file_is_refused_and_the_known_ones_are_listed(
    tmp_path: Path, env: dict[str, str]
) -> None:
    path = tmp_path / "portquorum.toml"
    path.write_text("partition = 3\n")
    text = refused(env, tmp_path)
    assert text.startswith(f"{path}: partition: no such setting")
    assert "topic_prefix" in text


def test_a_broken_file_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    path = tmp_path / "portquorum.toml"
    path.write_bytes(b"partitions = \n")
    assert refused(env, tmp_path).startswith(f"{path}: ")
    path.write_bytes(b"\xff\xfe")
    assert refused(env, tmp_path).startswith(f"{path}: ")


def test_a_named_file_must_exist(tmp_path: Path, env: dict[str, str]) -> None:
    text = refused(env | {"PORTQUORUM_CONFIG": str(tmp_path / "no.toml")}, tmp_path)
    assert text == f"PORTQUORUM_CONFIG names {tmp_path / 'no.toml'}, which does not exist"


def test_a_password_is_never_shown(tmp_path: Path, env: dict[str, str]) -> None:
    text = refused(env | {"PORTQUORUM_CLICKHOUSE": "tcp://user:s3cret@localhost:9000/db"}, tmp_path)
    assert "s3cret" not in text
    assert "tcp://" in text


@pytest.mark.parametrize(
    "value", ["https://hc.example.org/0a1b2c3d-4e5f", "http://hc.example.org", "${WATCHDOG_URL}"]
)
def test_a_watchdog_is_a_url_or_a_variable_with_one(
    tmp_path: Path, env: dict[str, str], value: str
) -> None:
    settings = load(env | {"PORTQUORUM_WATCHDOG": value}, tmp_path)
    assert settings.watchdog == value
    assert "0a1b2c3d" not in repr(settings)


def test_the_path_of_the_watchdog_is_a_secret(tmp_path: Path, env: dict[str, str]) -> None:
    made = load(env | {"PORTQUORUM_WATCHDOG": "https://hc.example.org/0a1b2c3d/start"}, tmp_path)
    assert "0a1b2c3d" in made.secrets
    assert "watchdog='https://hc.example.org/…'" in repr(made)
    for wrong in ("hc.example.org/0a1b2c3d", "ftp://hc.example.org/0a1b2c3d", "https:///0a1b2c3d"):
        text = refused(env | {"PORTQUORUM_WATCHDOG": wrong}, tmp_path)
        assert text.startswith("PORTQUORUM_WATCHDOG: expected http[s]://host/")
        assert "0a1b2c3d" not in text


def test_the_data_directory_follows_xdg(tmp_path: Path) -> None:
    assert default_data_dir({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "portquorum"
    assert default_data_dir({}) == Path.home() / ".local" / "share" / "portquorum"


def test_names_of_topics_and_groups_carry_the_prefix() -> None:
    settings = Settings(topic_prefix="acme")
    assert (settings.topic("results"), settings.group("sink")) == ("acme.results", "acme-sink")


def test_denied_networks(tmp_path: Path) -> None:
    env = {"PORTQUORUM_PROBE_DENY": "10.0.0.0/8, fd00::/8,"}
    assert load(env, tmp_path).denied_networks == ("10.0.0.0/8", "fd00::/8")
    with pytest.raises(SettingsError, match=r"PORTQUORUM_PROBE_DENY: .*host bits"):
        load({"PORTQUORUM_PROBE_DENY": "10.0.0.1/8"}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("PORTQUORUM_KAFAK", "PORTQUORUM_KAFKA"),
        ("PORTQUORUM_PARTITION", "PORTQUORUM_PARTITIONS"),
        ("PORTQUORUM_CLICK_HOUSE", "PORTQUORUM_CLICKHOUSE"),
        ("PORTQUORUM_RESULTS_TTL_DAY", "PORTQUORUM_RESULTS_TTL_DAYS"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(variable: str, meant: str) -> None:
    assert misspelt({variable: "x", "PATH": "/bin"}) == {variable: meant}


@pytest.mark.parametrize(
    "variable",
    [
        "PORTQUORUM_KAFKA",
        "PORTQUORUM_DEBUG",
        "PORTQUORUM_SERVICE_HOST",
        "PORTQUORUM_KAFKA_SERVICE_HOST",
        "PORTQUORUM_PORT_8123_TCP",
        "PORTQUORUM_SINK_PORT",
        "PORTQUORUM_TEST_CLICKHOUSE",
        "PORTQUORUM_SOAK_RATE",
    ],
)
def test_other_variables_are_left_alone(variable: str) -> None:
    assert misspelt({variable: "x"}) == {}


@pytest.mark.parametrize(("name", "least"), [("LINKS_KEY", 32), ("PAGERDUTY_SECRET", 16)])
def test_a_short_key_is_refused_and_not_shown(
    tmp_path: Path, env: dict[str, str], name: str, least: int
) -> None:
    with pytest.raises(SettingsError, match=f"PORTQUORUM_{name}.*>= {least}") as found:
        load(env | {f"PORTQUORUM_{name}": "hunter2"}, tmp_path)
    assert "hunter2" not in str(found.value)
    key = "hunter2-" * 5
    settings = load(env | {f"PORTQUORUM_{name}": key}, tmp_path)
    assert key in settings.secrets
    assert key not in repr(settings)


def test_the_url_of_links_has_no_user(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="without user") as found:
        load(env | {"PORTQUORUM_LINKS": "https://u:hunter2@monitor.example.com"}, tmp_path)
    assert "hunter2" not in str(found.value)
