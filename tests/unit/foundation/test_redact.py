import json
import logging
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from foundation import settings, telemetry
from foundation.redact import redact
from foundation.settings import Settings, SettingsError, load
from portquorum.cli.errors import explain
from portquorum.cli.main import main

SECRET = "geheim/42@x"  # noqa: S105
WRITTEN = "geheim%2F42%40x"
ALL = Settings(
    kafka_password="secret-of-kafka",  # noqa: S106
    owner_password='secret-of-"owner" ü',  # noqa: S106
    reader_password="secret-of-reader",  # noqa: S106
    metrics_password="secret-of-metrics",  # noqa: S106
    clickhouse=f"http://me:{WRITTEN}@127.0.0.1:8123/portquorum",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pass@h:1/x", "http://…@h:1/x"),
        ("can't reach http://me:p@ss/w@h/x, twice", "can't reach http://…@h/x, twice"),
        ("'https://me@h', \"kafka://a:b@c:1\"", "'https://…@h', \"kafka://…@c:1\""),
        ("http://h:1/x and me@example.org", "http://h:1/x and me@example.org"),
        ("nothing", "nothing"),
    ],
)
def test_urls_lose_their_user(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_secrets_are_taken_out_and_words_stay() -> None:
    secrets = ("portquorum", "short", "longsecret", "longsecret-2")
    assert redact("portquorum short longsecret-2.", secrets) == "portquorum short …."


def test_settings_never_show_a_password() -> None:
    assert set(settings._PASSWORDS) == {
        name for name in Settings.__struct_fields__ if "password" in name
    } | {"links_key", "pagerduty_secret", "web_oidc_client_secret"}
    for shown in (repr(ALL), str(ALL), f"{ALL!r:.9999}", repr([ALL])):
        assert "secret-of" not in shown
        assert "geheim" not in shown
        assert "127.0.0.1:8123/portquorum" in shown
        assert "kafka_username=None" in shown
    assert {SECRET, WRITTEN, "secret-of-kafka"} <= set(ALL.secrets)
    assert Settings().secrets == ()


def test_a_wrong_setting_is_said_without_its_password(tmp_path: Path) -> None:
    for name, value in (
        ("clickhouse", f"ftp://me:{SECRET}@h/x"),
        ("clickhouse", f"http://me:{SECRET}@h:x/x"),
        ("kafka", f"me:{SECRET}@h:9092"),
        ("kafka", f"kafka://me:{SECRET}@h:9092,h"),
    ):
        with pytest.raises(SettingsError) as raised:
            load({f"PORTQUORUM_{name.upper()}": value}, tmp_path)
        assert "geheim" not in str(raised.value)
    (tmp_path / "portquorum.toml").write_text(f"owner_password = ['{SECRET}']")
    with pytest.raises(SettingsError, match="owner_password") as raised:
        load({}, tmp_path)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("form", ["json", "pretty"])
def test_no_log_line_has_a_password(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging("sink", replace(ALL, log_format=form))
    telemetry.logger("x").error("can't", url=ALL.clickhouse, of=ALL, password=SECRET)
    logging.getLogger("aiokafka").error("as %r", {"password": ALL.kafka_password})
    try:
        raise ValueError(  # noqa: TRY301 (what is logged)
            f"{ALL.clickhouse} {ALL.owner_password} {WRITTEN}"
        )
    except ValueError:
        logging.getLogger("faust").exception("failed")
    written = capfd.readouterr().err
    assert "geheim" not in written
    assert "secret-of" not in written
    assert "ValueError" in written
    if form == "json":
        assert all(json.loads(line) for line in written.splitlines())


def test_an_error_is_told_without_a_password() -> None:
    sentence, _ = explain(RuntimeError(f"{ALL.clickhouse} does not answer"))
    assert "geheim" not in sentence
    assert "127.0.0.1:8123" in sentence


def test_a_traceback_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "argv", ["portquorum", "status"])
    monkeypatch.setenv("PORTQUORUM_DEBUG", "1")
    monkeypatch.setenv("PORTQUORUM_CLICKHOUSE", f"http://me:{WRITTEN}@127.0.0.1:1/portquorum")
    with pytest.raises(Exception, match=r"127\.0\.0\.1") as raised:
        main()
    sys.excepthook(raised.type, ValueError(ALL.clickhouse), raised.tb)
    written = capsys.readouterr().err
    assert "Traceback" in written
    assert "geheim" not in written
