"""Gatus' files as an inventory: what becomes of each kind, condition, option and alert."""

from pathlib import Path
from typing import Any

import pytest

from portquorum.importing import report as reporting
from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Report, Taken
from portquorum.importing.wings import WINGS
from portquorum.inventory import check
from portquorum.inventory.reach import reach

CONNECTED = '["[CONNECTED] == true"]'
OK = '["[STATUS] == 200"]'


@pytest.fixture
def taken(tmp_path: Path) -> Any:
    """Imports a text, checks what is written, and gives its targets and the report."""

    def run(text: str, **variables: str) -> tuple[list[dict[str, Any]], Report]:
        path = tmp_path / "gatus.yaml"
        path.write_text(text)
        options = Options(variables=variables)
        inventory, report = assemble(WINGS["gatus"]([path], options), options)
        written = tmp_path / "inventory.yaml"
        written.write_text(writer.document(inventory, report))
        if inventory.get("targets"):
            check([written])
        counts = reporting.counts(report)
        assert sum(counts.values()) == len(report.entries)
        return inventory.get("targets", []), report

    return run


def endpoint(url: str, conditions: str = OK, more: str = "") -> str:
    """A configuration of one endpoint."""
    text = f"endpoints:\n  - name: it\n    url: {url!r}\n    conditions: {conditions}\n"
    return text + "".join(f"    {line}\n" for line in more.splitlines())


def one(report: Report) -> Taken:
    assert len(report.entries) == 1
    return report.entries[0]


def test_a_page_is_exact(taken: Any) -> None:
    targets, report = taken(endpoint("https://example.org/health"))
    assert targets == [
        {
            "name": "it",
            "id": "it",
            "kind": "http",
            "host": "example.org",
            "port": 443,
            "probe": {"path": "/health", "critical_days": 0, "status": [200]},
            "interval": "1m",
            "timeout": "10s",
            "retries": 1,
        }
    ]
    assert one(report).outcome == "exact"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("[STATUS] == any(200, 429)", [200, 429]),
        ("[STATUS] >= 200", ["200-599"]),
        ("[STATUS] == pat(2*)", ["200-299"]),
        ("[STATUS] != 500", ["100-499", "501-599"]),
        ("200 == [STATUS]", [200]),
        ("[status] == 0xC8", [200]),
        ("[STATUS] == any(200, 301)", [200, "301-301"]),  # redirects are followed
    ],
)
def test_statuses(taken: Any, condition: str, status: list[Any]) -> None:
    targets, _ = taken(endpoint("http://example.org", f'["{condition}"]'))
    assert targets[0]["probe"]["status"] == status


def test_a_redirect_that_is_not_followed(taken: Any) -> None:
    text = endpoint(
        "http://example.org", OK.replace("200", "301"), "client: {ignore-redirect: yes}"
    )
    targets, report = taken(text)
    assert targets[0]["probe"] == {"redirects": 0, "status": [301]}
    assert one(report).outcome == "exact"


def test_a_server_that_can_not_be_reached_is_up_to_gatus_for_a_status_below_500(taken: Any) -> None:
    targets, report = taken(endpoint("http://example.org", '["[STATUS] < 500"]'))
    assert targets[0]["probe"]["status"] == ["100-499"]
    assert "can't be reached at all is up" in one(report).differences[0]
    _, report = taken(endpoint("http://example.org", '["[STATUS] < 500", "[CONNECTED] == true"]'))
    assert one(report).outcome == "exact"


def test_what_gatus_does_not_know_is_what_was_meant(taken: Any) -> None:
    text = endpoint("http://example.org", '["[STATUS] == 200 || [STATUS] == 404"]')
    targets, report = taken(text)
    assert targets[0]["probe"]["status"] == [200, 404]
    assert "Gatus knows no && and ||" in one(report).differences[0]
    targets, _ = taken(endpoint("http://x.org", '["[STATUS] >= 200 && [STATUS] < 400"]'))
    assert targets[0]["probe"]["status"] == ["200-399"]


@pytest.mark.parametrize(
    ("condition", "written"),
    [
        ("[BODY].a == up", [{"json": "$.a", "equals": "up"}]),
        ("[BODY].a == 5", [{"json": "$.a", "any_of": [5, "5"]}]),
        ("[BODY].a == true", [{"json": "$.a", "any_of": [True, "true"]}]),
        ("[BODY].a-b[0].c == any(x, 2)", [{"json": "$['a-b'][0].c", "any_of": ["x", 2, "2"]}]),
        ("[BODY][0].id >= 5", [{"json": "$[0].id", "at_least": 5}]),
        ("[BODY].n > 5", [{"json": "$.n", "at_least": 6}]),
        ("[BODY].n < 5", [{"json": "$.n", "at_least": 5, "not": True}]),
        ("[BODY].a == pat(*up*)", [{"json": "$.a", "contains": "up"}]),
        ("[BODY].a == pat(v1.?)", [{"json": "$.a", "matches": r"^v1\..$"}]),
        ("[BODY].a != up", [{"json": "$.a", "equals": "up", "not": True}]),
        ("len([BODY].a) > 2", [{"json": "$.a", "length": True, "at_least": 3}]),
        (
            "has([BODY].a) == true",
            [{"json": "$.a", "exists": True}, {"json": "$.a", "equals": None, "not": True}],
        ),
        ("has([BODY].a) == false", [{"json": "$.a", "equals": None, "or_missing": True}]),
        ("[BODY] == pat(*hello*)", [{"body": True, "contains": "hello"}]),
        ("[BODY] == ok", [{"body": True, "equals": "ok"}]),
        ("len([BODY]) == 0", [{"body": True, "matches": r"^(\[\s*\])?$"}]),
        ("len([BODY]) > 0", [{"body": True, "matches": r"^(\[\s*\])?$", "not": True}]),
    ],
)
def test_conditions_on_a_body(taken: Any, condition: str, written: list[dict[str, Any]]) -> None:
    text = endpoint("http://example.org", f"['[STATUS] == 200', '{condition}']")
    targets, _ = taken(text)
    assert targets[0]["probe"]["conditions"] == written


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("[STATUS_CODE] == 200", "never holds"),
        ("[STATUS] == 999", "beyond 599"),
        ("[STATUS] == 42", "never holds"),
        ("[STATUS] == 0", "expect: closed"),
        ("[BODY].items[*].x == 1", "knows no such path"),
        ("[BODY].a == [BODY].b", "two parts of an answer"),
        ("[IP] == 192.0.2.1", "not compared"),
        ("[STATUS]", "expected a comparison"),
        ("[CERTIFICATE_EXPIRATION] > 48h", "there is no TLS"),
        ("[RESPONSE_TIME] > 5", "at least take"),
    ],
)
def test_conditions_that_can_not_be_had(taken: Any, condition: str, why: str) -> None:
    targets, report = taken(endpoint("http://example.org", f'["{condition}"]'))
    assert targets == []
    assert why in str(one(report).why)


def test_times_and_ends(taken: Any) -> None:
    conditions = '["[STATUS] == 200", "[RESPONSE_TIME] < 500", "[CERTIFICATE_EXPIRATION] > 720h"]'
    targets, report = taken(endpoint("https://example.org", conditions))
    assert targets[0]["max_ms"] == 500
    assert targets[0]["probe"]["critical_days"] == 30
    assert one(report).outcome == "exact"
    conditions = '["[RESPONSE_TIME] < 10000", "[STATUS] == 200", "[DOMAIN_EXPIRATION] > 720h"]'
    targets, report = taken(endpoint("https://example.org", conditions))
    assert "max_ms" not in targets[0]  # the timeout says so already
    assert targets[1] == {
        "name": "it (domain)",
        "id": "it-domain",
        "kind": "domain",
        "host": "example.org",
        "probe": {"critical_days": 30},
    }
    assert one(report).ids == ("it", "it-domain")


@pytest.mark.parametrize(
    ("url", "conditions", "more", "wanted"),
    [
        ("tcp://example.org:22", CONNECTED, "", {"kind": "tcp", "port": 22}),
        (
            "tcp://example.org:6379",
            '["[BODY] == pat(*PONG*)"]',
            'body: "PING\\r\\n"',
            {"probe": {"steps": [{"send": "PING\r\n", "expect_regex": "(?s)PONG"}]}},
        ),
        ("tcp://example.org:23", '["[CONNECTED] == false"]', "", {"expect": "closed"}),
        ("udp://example.org:9", '["[BODY] == yo"]', "body: hi", {"kind": "udp", "port": 9}),
        ("icmp://example.org", CONNECTED, "", {"kind": "icmp", "probe": {"count": 1}}),
        (
            "starttls://mail.example.org:587",
            '["[CERTIFICATE_EXPIRATION] > 48h"]',
            "",
            {"kind": "smtp", "probe": {"tls": "starttls", "critical_days": 2}},
        ),
        ("tls://example.org:993", CONNECTED, "", {"kind": "tls", "probe": {"critical_days": 0}}),
        ("ssh://example.org", CONNECTED, "", {"kind": "ssh", "port": 22}),
        (
            "grpcs://example.org:443",
            '["[BODY].status == SERVING"]',
            "client: {insecure: true}",
            {"kind": "grpc", "probe": {"critical_days": 0, "verify": False}},
        ),
        (
            "8.8.8.8",
            '["[DNS_RCODE] == NXDOMAIN"]',
            "dns: {query-name: x.example.org, query-type: AAAA}",
            {
                "kind": "dns",
                "probe": {"name": "x.example.org", "record": "AAAA", "rcode": "NXDOMAIN"},
            },
        ),
    ],
)
def test_kinds(taken: Any, url: str, conditions: str, more: str, wanted: dict[str, Any]) -> None:
    targets, report = taken(endpoint(url, conditions, more))
    assert one(report).outcome == "exact"
    assert targets[0] | wanted == targets[0]


@pytest.mark.parametrize(
    ("url", "conditions", "more", "why"),
    [
        ("sctp://example.org:1", CONNECTED, "", "no kind for SCTP"),
        ("udp://example.org:27015", CONNECTED, "", "sends nothing"),
        ("ssh://example.org", '["[BODY].load < 5"]', "ssh: {username: u, password: p}", "by SSH"),
        ("https://example.org", OK, "client: {oauth2: {token-url: x}}", "OAuth2"),
        ("https://example.org", OK, "client: {tunnel: t}", "SSH tunnel"),
        ("https://example.org", OK, "client: {dns-resolver: 'tcp://dns.lan:53'}", "is a name"),
        ("https://${DOMAIN}/", OK, "", "the variable DOMAIN has no value"),
        ("https://{{ include x }}/", OK, "", "a template"),
        ("ftp://example.org/", OK, "", "expected a URL"),
        ("https://exa mple.org/", OK, "", "expected a host name"),
    ],
)
def test_what_is_left_out(taken: Any, url: str, conditions: str, more: str, why: str) -> None:
    targets, report = taken(endpoint(url, conditions, more))
    assert targets == []
    assert why in str(one(report).why)


def test_options_of_the_client(taken: Any) -> None:
    more = (
        "client: {timeout: 3s, insecure: true, dns-resolver: 'udp://9.9.9.9:53', "
        "proxy-url: 'http://proxy.example.org:3128'}\ninterval: 30s"
    )
    targets, report = taken(endpoint("https://example.org", OK, more))
    assert targets[0]["probe"]["verify"] is False
    assert targets[0]["probe"]["proxy"] == "http://proxy.example.org:3128"
    assert targets[0]["resolver"] == "9.9.9.9"
    assert (targets[0]["interval"], targets[0]["timeout"]) == ("30s", "3s")
    assert one(report).ignored == ()


def test_secrets_are_never_copied(taken: Any) -> None:
    more = """method: POST
headers: {Authorization: "Bearer ${TOKEN}", X-Api-Key: verysecretkey, Accept: text/html}
body: '{"user": "me", "password": "hunter22"}'"""
    text = endpoint("https://me:p4ssw0rd@example.org/x?apikey=abcdefgh&q=$$1", OK, more)
    targets, report = taken(text, TOKEN="tokenvalue")  # noqa: S106 (a value that must not show)
    everything = f"{targets}{reporting.markdown(report)}{reporting.as_json(report)}"
    for value in ("verysecretkey", "hunter22", "p4ssw0rd", "abcdefgh"):
        assert value not in everything
    probe = targets[0]["probe"]
    assert probe["path"] == "/x?apikey=${PORTQUORUM_SECRET_IT_APIKEY}&q=$$1"
    assert probe["headers"]["X-Api-Key"] == "${PORTQUORUM_SECRET_IT_X_API_KEY}"
    assert "basic_auth" not in probe  # as in Go, the header goes before the user of the URL
    names = [one.name for one in report.secrets]
    assert "PORTQUORUM_SECRET_IT_PASSWORD" in names
    assert "tokenvalue" not in everything


def test_a_variable_with_the_name_of_a_secret_is_one_whatever_its_value(taken: Any) -> None:
    more = 'body: "${API_TOKEN}"\nheaders: {X-Version: "$VERSION"}'
    for scheme in ("https", "wss"):
        text = endpoint(
            f"{scheme}://example.org/$HOOK_SECRET/$PART", '["[CONNECTED] == true"]', more
        )
        values = {"API_TOKEN": "tokenvalue", "HOOK_SECRET": "hookvalue", "PART": "part"}
        targets, report = taken(text, VERSION="7", **values)
        probe = targets[0]["probe"]
        assert probe["path"] == "/${PORTQUORUM_SECRET_HOOK_SECRET}/part"
        assert probe["headers"]["X-Version"] == "7"
        everything = f"{targets}{reporting.markdown(report)}{reporting.as_json(report)}"
        assert "tokenvalue" not in everything
        assert "hookvalue" not in everything


def test_a_secret_in_clear_stays_one_and_is_told(taken: Any) -> None:
    text = endpoint("http://me:p4ssw0rd@example.org/", OK)
    targets, report = taken(text)
    assert targets[0]["probe"]["insecure"] is True
    assert any("without TLS" in one for one in report.warnings)


def test_variables(taken: Any) -> None:
    text = endpoint("https://${HOST:-example.org}/${SECRET_PATH}?t=$$x", OK, "group: $GROUP")
    targets, report = taken(text, GROUP="core")
    assert targets[0]["host"] == "example.org"
    assert targets[0]["probe"]["path"] == "/${PORTQUORUM_SECRET_SECRET_PATH}?t=$$x"
    assert targets[0]["tags"] == ["core"]
    assert one(report).name == "core/it"


ALERTS = """
alerting:
  discord:
    webhook-url: "https://discord.com/api/webhooks/1234567890/abcdefghijklmnopqrstuvwxyz"
    default-alert: {failure-threshold: 5, success-threshold: 3, send-on-resolved: true}
    overrides: [{group: core, webhook-url: "${CORE_HOOK}"}]
  pagerduty: {integration-key: "${PAGERDUTY}"}
"""


def test_a_secret_says_where_its_scheme_stands(taken: Any) -> None:
    """Whoever sets it would write `Bearer` twice."""
    more = "headers: {Authorization: 'Bearer s3cret-token', X-Api-Key: abcdef}"
    targets, report = taken(endpoint("https://example.org", OK, more))
    assert targets[0]["probe"]["headers"]["Authorization"].startswith("Bearer ${PORTQUORUM_SECRET_")
    whats = [secret.what for secret in report.secrets]
    assert whats == [
        "the header Authorization of it, without its `Bearer`",
        "the header X-Api-Key of it",
    ]


def test_without_an_alert_the_timing_promises_none(taken: Any) -> None:
    _, report = taken(endpoint("http://example.org"))
    assert reporting.timing(one(report)) == (
        "every 60 s, timeout 10 s, no alert → an incident after 1 s"
    )


def test_thresholds_are_times_and_routes(taken: Any) -> None:
    more = "alerts: [{type: discord, minimum-reminder-interval: 1h}]"
    targets, report = taken(ALERTS + endpoint("http://example.org", OK, more))
    assert targets[0]["open_after"] == "4m"
    assert targets[0]["recover_after"] == 3
    assert list(report.routes) == ["discord"]
    entry = one(report)
    assert entry.before is not None
    assert entry.after is not None
    assert entry.before.told_after_s == entry.after.told_after_s == 240


def test_routes_for_some_and_for_later(taken: Any, tmp_path: Path) -> None:
    text = (
        ALERTS
        + """
endpoints:
  - name: a
    group: core
    url: "http://a.org"
    conditions: ["[STATUS] == 200"]
    alerts: [{type: discord}, {type: pagerduty, failure-threshold: 10}]
  - {name: b, url: "http://b.org", conditions: ["[STATUS] == 200"], alerts: [{type: discord}]}
  - name: c
    url: "http://c.org"
    conditions: ["[STATUS] == 200"]
    alerts: [{type: discord, enabled: false}, {type: slack}]
"""
    )
    targets, report = taken(text)
    assert targets[0]["tags"] == ["core", "tell-discord-core"]
    assert targets[1]["tags"] == ["tell-discord"]
    assert "tags" not in targets[2]
    written = (tmp_path / "inventory.yaml").read_text()
    assert 'escalate: [{after: "5m", routes: [pagerduty-later]}]' in written
    assert "abcdefghijklmnopqrstuvwxyz" not in written
    ignored = {one.what: one.why for one in report.ignored}
    assert "none of the files" in ignored["alerts of type slack"]
    assert ignored["alerts"].startswith("1 endpoint has no alert that can be sent")


def test_somebody_hears_of_regions_and_of_very_many_targets(taken: Any, tmp_path: Path) -> None:
    """Where routes have tags: such events have none, and would reach nobody."""
    text = (
        ALERTS
        + """
endpoints:
  - name: a
    interval: 10s
    url: "http://a.org"
    conditions: ["[STATUS] == 200"]
    alerts: [{type: discord, failure-threshold: 2}, {type: pagerduty, failure-threshold: 5}]
  - {name: b, url: "http://b.org", conditions: ["[STATUS] == 200"], alerts: [{type: discord}]}
"""
    )
    targets, report = taken(text)
    tags = [target["tags"] for target in targets]
    assert tags == [["tell-discord-then-pagerduty"], ["tell-discord"]]
    written = check([tmp_path / "inventory.yaml"])
    assert [found.text for found in reach(written, 0) if "nobody but" in found.text] == []
    assert report.routes["operators"]
    later = "pagerduty-later is told 1m after it, and not 30s"
    assert later in report.routes["discord-then-pagerduty"]


def test_jobs_suites_maintenance_and_what_is_off(taken: Any, tmp_path: Path) -> None:
    text = """
maintenance: {start: "23:30", duration: 1h, timezone: Europe/Berlin, every: [Monday, Friday]}
connectivity: {checker: {target: "1.1.1.1:53"}}
ui: {title: x}
endpoints:
  - name: off
    enabled: false
    url: "http://a.org"
    conditions: ["[STATUS] == 200"]
    ui: {hide-url: true}
    insecure: true
external-endpoints:
  - name: job
    token: t0ken
    heartbeat: {interval: 30m}
    alerts: [{type: discord, failure-threshold: 3}]
suites:
  - name: flow
    group: g
    interval: 5m
    endpoints:
      - {name: first, url: "http://a.org", conditions: ["[STATUS] == 200"], store: {id: "[IP]"}}
      - {name: second, url: "http://a.org/[CONTEXT].id", conditions: ["[STATUS] == 200"]}
"""
    targets, report = taken(text)
    assert [target["id"] for target in targets] == ["off", "job", "g-first"]
    assert targets[0]["enabled"] is False
    assert targets[1] == {
        "name": "job",
        "id": "job",
        "kind": "heartbeat",
        "interval": "30m",
        "grace": "1h",
    }
    assert targets[2]["interval"] == "5m"
    assert [entry.outcome for entry in report.entries] == ["exact", "nearly", "nearly", "left_out"]
    written = (tmp_path / "inventory.yaml").read_text()
    assert 'connectivity: ["1.1.1.1:53"]' in written
    assert 'start: "2026-01-02T23:30"' in written
    assert 'rrule: "FREQ=WEEKLY;BYDAY=MO,FR"' in written
    assert [(one.what, one.place.line) for one in report.entries[0].ignored] == [
        ("ui", 10),
        ("insecure", 11),
    ]
    assert "t0ken" not in written + reporting.markdown(report)


def test_a_folder_is_merged_and_manifests_are_opened(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "again.yaml").write_text(endpoint("http://never.org"))
    (folder / "a.yaml").write_text(
        ALERTS + endpoint("http://a.org", OK, "alerts: [{type: discord}]")
    )
    (folder / "b.yml").write_text(
        "x-common: &c {conditions: ['[STATUS] == 200'], interval: 2m}\n"
        "endpoints:\n  - {<<: *c, name: merged, url: 'http://b.org'}\n"
        "  - {<<: *c, name: it, group: other, url: 'http://c.org'}\n"
    )
    manifest = "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: |\n"
    inner = endpoint("http://d.org").replace("name: it", "name: of a map")
    (folder / "c.yaml").write_text(
        manifest + "".join(f"    {line}\n" for line in inner.splitlines())
    )
    (folder / "broken.yaml").write_text("endpoints: [")
    options = Options()
    inventory, report = assemble(WINGS["gatus"]([folder], options), options)
    assert [one["id"] for one in inventory["targets"]] == ["it", "merged", "other-it", "of-a-map"]
    assert [one.place.line for one in report.entries][-1] == 6
    assert inventory["targets"][1]["interval"] == "2m"
    assert len(report.unreadable) == 1
    assert report.unreadable[0].place.file.endswith("broken.yaml")


def test_no_section_is_silent(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(endpoint("http://outside.org"))
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(outside)
    (folder / "a.yaml").write_text(
        "endpoints: {a: 1}\nannouncements: [{message: x}]\nmaintenance: x\n"
        "what: 1\nalerting: y\nx-a: 1\n"
    )
    found = WINGS["gatus"]([folder], Options())
    assert found.entries == []
    assert [one.why for one in found.unreadable] == [
        "endpoints: expected a list (each item begins with `- `), found none"
    ]
    assert {one.what for one in found.ignored} == {
        "announcements",
        "maintenance",
        "what",
        "alerting",
        "x-a",
    }


def test_private_hosts(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        endpoint("http://192.168.1.5") + endpoint("http://nas.lan")[len("endpoints:\n") :]
    )
    for private, region, count in (
        ("internal", {"internal": True}, 2),
        ("allow", {"allow": ["192.168.1.5"]}, 2),
        ("refuse", {}, 0),
    ):
        options = Options(private=private)  # type: ignore[arg-type]
        inventory, report = assemble(WINGS["gatus"]([path], options), options)
        assert inventory["regions"] == {"local": region}
        assert len(inventory.get("targets", [])) == count
        assert report.count("left_out") == 2 - count


def test_what_all_have_is_a_default_that_changes_nothing(taken: Any, tmp_path: Path) -> None:
    text = endpoint("http://a.org") + endpoint("http://b.org")[len("endpoints:\n") :]
    more = "interval: 5m\nclient: {timeout: 3s}"
    ends = '["[STATUS] == 200", "[DOMAIN_EXPIRATION] > 720h"]'
    text += endpoint("http://c.org", ends, more)[len("endpoints:\n") :]
    targets, _ = taken(text)
    written = (tmp_path / "inventory.yaml").read_text()
    assert "defaults:\n  interval: 1m\n  timeout: 10s\n" in written
    alone = {name: one for name, one in targets[0].items() if name in {"interval", "retries"}}
    assert alone == {"interval": "1m", "retries": 1}
    found = {one.id: one for one in check([tmp_path / "inventory.yaml"]).targets}
    assert [found[name].interval_ms for name in ("it", "it-2", "it-3")] == [60_000, 60_000, 300_000]
    assert [found[name].retries for name in ("it", "it-2", "it-3")] == [1, 1, 1]
    assert found["it-domain"].interval_ms == 86_400_000


def test_equal_names_have_ids_of_their_own(taken: Any) -> None:
    text = endpoint("http://a.org") + endpoint("http://b.org")[len("endpoints:\n") :]
    targets, report = taken(text)
    assert [target["id"] for target in targets] == ["it", "it-2"]
    assert report.entries[1].renamed == ("it-2",)
