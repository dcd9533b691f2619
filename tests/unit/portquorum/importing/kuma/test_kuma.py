"""Uptime Kuma's files through wing and assemble: what becomes of each type of monitor."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portquorum.importing import report as reporting
from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.kuma import wing
from portquorum.importing.model import Options, Report, Taken

OPTIONS = Options()


def imported(value: object, folder: Path, options: Options = OPTIONS) -> tuple[Any, Report]:
    file = folder / "kuma.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return assemble(wing.read([file], options), options)


def one(folder: Path, **fields: Any) -> tuple[dict[str, Any], Taken]:
    """The first target, and the entry, of a monitor with these fields."""
    monitor = {"id": 1, "name": "API", "interval": 60, "retryInterval": 60, **fields}
    document, report = imported({"monitorList": [monitor]}, folder)
    targets = document.get("targets") or [{}]
    return targets[0], report.entries[0]


def http(folder: Path, **fields: Any) -> tuple[dict[str, Any], Taken]:
    return one(folder, **({"type": "http", "url": "https://api.example.com/"} | fields))


def test_a_long_description_is_cut_and_that_is_told(tmp_path: Path) -> None:
    target, entry = http(tmp_path, description="orders " * 100)
    assert len(target["purpose"]) <= 500
    assert entry.differences == ("its description is cut after 500 characters",)


def test_a_page(tmp_path: Path) -> None:
    target, entry = http(tmp_path, maxretries=2, timeout=10, expiryNotification=True)
    assert entry.outcome == "exact"
    assert target == {
        "name": "API",
        "id": "api",
        "kind": "http",
        "host": "api.example.com",
        "port": 443,
        "probe": {"critical_days": 0, "warn_days": 21, "redirects": 10},
        "interval": "1m",
        "timeout": "10s",
        "retries": 1,
        "open_after": "2m",
    }
    assert entry.before == entry.after


def test_statuses_after_redirects(tmp_path: Path) -> None:
    target, _ = http(tmp_path, accepted_statuscodes=["200-299", "301", "401"])
    assert target["probe"]["status"] == ["200-299", "301-301", 401]  # redirects are followed
    target, _ = http(tmp_path, accepted_statuscodes='["301"]', maxredirects=0)
    assert target["probe"]["status"] == [301]
    assert target["probe"]["redirects"] == 0


def test_a_keyword(tmp_path: Path) -> None:
    target, entry = http(tmp_path, type="keyword", keyword="Welcome")
    assert (target["probe"]["expect"], entry.outcome) == ("Welcome", "exact")
    target, _ = http(tmp_path, type="keyword", keyword="down", invertKeyword=True)
    assert target["probe"]["conditions"] == [{"body": True, "contains": "down", "not": True}]
    target, entry = http(tmp_path, type="keyword", keyword='{"status":"ok"}')
    assert target["probe"]["conditions"] == [
        {"body": True, "matches": r'\{\s*"status"\s*:\s*"ok"\s*\}'}
    ]
    assert entry.outcome == "nearly"


def test_a_json_query(tmp_path: Path) -> None:
    query = {"jsonPath": "$.state", "jsonPathOperator": "==", "expectedValue": "ok"}
    target, entry = http(tmp_path, type="json-query", **query)
    assert target["probe"]["conditions"] == [{"json": "$.state", "equals": "ok"}]
    assert entry.outcome == "exact"
    _, entry = http(tmp_path, type="json-query", jsonPath="$sum(a)", expectedValue="1")
    assert entry.outcome == "left_out"
    assert "docs/kinds.md" in (entry.why or "")


def test_what_is_sent(tmp_path: Path) -> None:
    target, entry = http(
        tmp_path,
        method="post",
        headers='{"Content-Type": "application/json", "X-Env": "blue green", "TE": "x"}',
        body='{"query": "{ health }", "password": "hunter22", "cost": "$${x}"}',
        httpBodyEncoding="json",
    )
    probe = target["probe"]
    assert probe["method"] == "POST"
    assert probe["headers"] == {
        "Content-Type": "application/json",
        "X-Env": "${PORTQUORUM_SECRET_API_X_ENV}",
    }
    assert probe["json"]["query"] == "{ health }"
    assert set(probe["json"]) == {"query", "password", "cost"}
    assert "${PORTQUORUM_SECRET_API_BODY_PASSWORD}" in probe["json"].values()
    assert "insecure" not in probe
    assert any("header te" in one for one in entry.differences)


def test_logins(tmp_path: Path) -> None:
    login = {"authMethod": "basic", "basic_auth_user": "monitor", "basic_auth_pass": "hunter22"}
    target, _ = http(tmp_path, url="http://api.example.com/", **login)
    assert target["probe"]["basic_auth"]["password"].startswith("${PORTQUORUM_SECRET_")
    assert target["probe"]["insecure"] is True
    target, _ = http(tmp_path, url="https://monitor:hunter22@api.example.com/x")
    assert set(target["probe"]["basic_auth"]) == {"username", "password"}
    target, entry = http(tmp_path, **login | {"authMethod": "ntlm"})
    assert target["probe"]["status"] == [401]
    assert "NTLM" in entry.differences[0]
    target, _ = http(tmp_path, authMethod="mtls", tlsCert="PEM 1", tlsKey="PEM 2", tlsCa="PEM 3")
    assert set(target["probe"]["client_certificate"]) == {"certificate", "key"}
    target, entry = http(tmp_path, authMethod="oauth2-cc", oauth_client_id="monitor")
    assert target["probe"]["bearer"].startswith("${PORTQUORUM_SECRET_")
    assert "stays valid" in entry.differences[0]


def test_a_proxy(tmp_path: Path) -> None:
    monitor = {"id": 1, "name": "A", "type": "http", "url": "https://a.example.com", "proxyId": 3}
    proxy = {"id": 3, "protocol": "http", "host": "proxy.example.com", "port": 3128, "active": 1}
    login = {"auth": 1, "username": "u123", "password": "hunter22"}
    value = {"monitorList": [monitor], "proxyList": [proxy]}
    document, _ = imported(value, tmp_path)
    assert document["targets"][0]["probe"]["proxy"] == "http://proxy.example.com:3128"
    document, _ = imported(value | {"proxyList": [proxy | login]}, tmp_path)
    assert document["targets"][0]["probe"]["proxy"].startswith("http://${PORTQUORUM_SECRET_")
    for broken in ({"proxyList": []}, {"proxyList": [proxy | {"protocol": "socks5"}]}):
        _, report = imported(value | broken, tmp_path)
        assert "proxy" in (report.entries[0].why or "")


def test_upside_down(tmp_path: Path) -> None:
    target, entry = one(tmp_path, type="port", hostname="a.example.com", port=23, upsideDown=1)
    assert (target["kind"], target["expect"], entry.outcome) == ("tcp", "closed", "exact")
    target, entry = http(tmp_path, upsideDown=True)
    assert (target["expect"], target["port"], entry.outcome) == ("closed", 443, "nearly")
    target, entry = http(tmp_path, type="keyword", keyword="Index of", upsideDown=True)
    assert target["probe"]["conditions"][0]["not"] is True
    _, entry = one(tmp_path, type="ping", hostname="a.example.com", upsideDown=True)
    assert entry.outcome == "left_out"


TYPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "port", "hostname": "10.0.0.1", "port": "22"}, {"kind": "tcp", "port": 22}),
    ({"type": "ping", "hostname": "gw.example.com"}, {"kind": "icmp"}),
    ({"type": "tailscale-ping", "hostname": "100.64.0.1"}, {"kind": "icmp"}),
    (
        {"type": "dns", "hostname": "www.example.com", "dns_resolve_server": "192.0.2.53, 1.1.1.1"},
        {"kind": "dns", "host": "192.0.2.53", "probe": {"name": "www.example.com"}},
    ),
    ({"type": "smtp", "hostname": "mail.example.com", "port": 587}, {"kind": "smtp", "port": 587}),
    (
        {"type": "snmp", "hostname": "sw.example.com", "radiusPassword": "s3cret", "port": 161},
        {"kind": "snmp"},
    ),
    ({"type": "ntp", "hostname": "time.example.com"}, {"kind": "ntp"}),
    ({"type": "mqtt", "hostname": "mqtts://b.example.com", "port": 8883}, {"kind": "mqtt"}),
    ({"type": "mqtt", "hostname": "wss://b.example.com", "port": 443}, {"kind": "websocket"}),
    ({"type": "sip-options", "hostname": "pbx.example.com", "port": 5060}, {"kind": "udp"}),
    (
        {"type": "postgres", "databaseConnectionString": "postgres://u:p@ss/w@db.example.com/x"},
        {"kind": "postgres", "host": "db.example.com"},
    ),
    (
        {"type": "mysql", "databaseConnectionString": "mysql://u:p@db.example.com:3307/x"},
        {"kind": "mysql", "port": 3307},
    ),
    (
        {
            "type": "mongodb",
            "databaseConnectionString": "mongodb://u:p@a.example.com,b.example.com/",
        },
        {"kind": "mongodb", "host": "a.example.com"},
    ),
    (
        {"type": "redis", "databaseConnectionString": "rediss://:p@r.example.com"},
        {"kind": "redis", "probe": {"tls": "implicit", "critical_days": 0, "warn_days": 0}},
    ),
    (
        {
            "type": "sqlserver",
            "databaseConnectionString": "Server=tcp:s.example.com,1444;User Id=u;Password=p;",
        },
        {"kind": "mssql", "host": "s.example.com", "port": 1444},
    ),
    ({"type": "oracledb", "databaseConnectionString": "o.example.com:1522/X"}, {"port": 1522}),
    ({"type": "steam", "hostname": "game.example.com", "port": 27015}, {"kind": "udp"}),
    ({"type": "gamedig", "game": "minecraft", "hostname": "m.example.com"}, {"port": 25565}),
    ({"type": "grpc-keyword", "grpcUrl": "g.example.com:50051", "keyword": "x"}, {"kind": "tcp"}),
    (
        {"type": "grpc-keyword", "grpcUrl": "g.example.com:50051", "grpcServiceName": "Health"},
        {"kind": "grpc"},
    ),
    ({"type": "websocket-upgrade", "url": "wss://w.example.com/x"}, {"kind": "websocket"}),
    ({"type": "real-browser", "url": "https://b.example.com"}, {"kind": "http"}),
    (
        {
            "type": "kafka-producer",
            "kafkaProducerBrokers": ["k1.example.com:9093", "k2.example.com"],
        },
        {"kind": "kafka", "host": "k1.example.com", "port": 9093},
    ),
    (
        {
            "type": "rabbitmq",
            "rabbitmqNodes": '["https://r.example.com:15672"]',
            "rabbitmqUsername": "guest",
            "rabbitmqPassword": "hunter22",
        },
        {"kind": "http", "port": 15672},
    ),
    (
        {"type": "globalping", "subtype": "http", "url": "https://p.example.com", "location": "DE"},
        {"kind": "http"},
    ),
    ({"type": "push", "pushToken": "abcdefghij0123456789", "maxretries": 1}, {"kind": "heartbeat"}),
]


@pytest.mark.parametrize(("monitor", "wanted"), TYPES, ids=lambda one: one.get("type"))
def test_each_type(monitor: dict[str, Any], wanted: dict[str, Any], tmp_path: Path) -> None:
    target, entry = one(tmp_path, **monitor)
    assert entry.outcome in {"exact", "nearly"}, entry.why
    assert {name: target[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("monitor", "words", "networked"),
    [
        ({"type": "docker", "docker_container": "web"}, "container", False),
        ({"type": "system-service", "system_service_name": "x"}, "machine", False),
        ({"type": "pm2"}, "machine", False),
        ({"type": "manual"}, "by hand", False),
        ({"type": "group"}, "group", False),
        ({"type": "radius", "hostname": "r.example.com"}, "recipes", True),
        ({"type": "gamedig", "game": "quake", "hostname": "q.example.com"}, "recipes", True),
        ({"type": "mongodb", "databaseConnectionString": "mongodb+srv://u:p@x/y"}, "DNS", True),
        ({"type": "mysql"}, "connection string", False),
        ({"type": "teleport"}, "teleport", True),
        ({"type": "http", "url": "https://"}, "URL", False),
        ({"type": "http", "url": "https://${HOST}/"}, "HOST", True),
        ({"type": "port", "hostname": "a.example.com", "port": 0}, "port", True),
    ],
)
def test_what_is_left_out_says_why(
    monitor: dict[str, Any], words: str, networked: bool, tmp_path: Path
) -> None:
    _, entry = one(tmp_path, **monitor)
    assert entry.outcome == "left_out"
    assert words in (entry.why or "")
    assert entry.networked is networked


def test_a_push_monitor_has_time_for_its_retries(tmp_path: Path) -> None:
    target, entry = one(tmp_path, type="push", interval=3600, maxretries=2, retryInterval=300)
    assert (target["interval"], target["grace"]) == ("1h", "601s")
    assert "heartbeat key add" in entry.differences[0]


def test_a_certificate_behind_a_port(tmp_path: Path) -> None:
    tls = {"type": "port", "hostname": "m.example.com", "expiryNotification": True}
    target, _ = one(tmp_path, **tls, port=465, smtpSecurity="secure")
    assert (target["kind"], target["probe"]["warn_days"]) == ("tls", 21)
    target, _ = one(tmp_path, **tls, port=587, smtpSecurity="starttls")
    assert (target["kind"], target["probe"]["tls"]) == ("smtp", "starttls")


def test_conditions_on_records(tmp_path: Path) -> None:
    dns = {"type": "dns", "hostname": "example.com", "dns_resolve_server": "192.0.2.53"}
    equals = {
        "type": "expression",
        "variable": "record",
        "operator": "equals",
        "value": "192.0.2.1",
    }
    target, _ = one(tmp_path, **dns, conditions=json.dumps([equals]))
    assert target["probe"]["expect"] == ["192.0.2.1"]
    mail = [equals | {"value": "mail.example.com"}]
    target, _ = one(tmp_path, **dns, dns_resolve_type="MX", conditions=mail)
    assert target["probe"]["expect_regex"] == r"^[0-9]+ mail\.example\.com\.?$"
    _, entry = one(tmp_path, **dns, conditions=[equals, equals])
    assert entry.outcome == "nearly"


def test_a_container_whose_engine_is_asked_over_tcp(tmp_path: Path) -> None:
    monitor = {
        "id": 1,
        "name": "web",
        "type": "docker",
        "docker_container": "web",
        "docker_host": 2,
    }
    engine = {"id": 2, "dockerType": "tcp", "dockerDaemon": "tcp://d.example.com:2375"}
    value = {"monitorList": [monitor], "dockerHostList": [engine]}
    document, report = imported(value, tmp_path)
    (target,) = document["targets"]
    assert (target["kind"], target["port"], report.count("exact")) == ("http", 2375, 1)
    assert target["probe"]["path"] == "/containers/web/json"
    socket = {"dockerType": "socket", "dockerDaemon": "/var/run/docker.sock"}
    _, report = imported(value | {"dockerHostList": [engine | socket]}, tmp_path)
    assert report.count("left_out") == 1


def test_a_domain_is_watched_once(tmp_path: Path) -> None:
    pages = [
        {
            "id": at,
            "name": f"P{at}",
            "type": "http",
            "url": f"https://{host}",
            "domainExpiryNotification": True,
        }
        for at, host in enumerate(["www.example.co.uk", "api.example.co.uk", "10.0.0.1"])
    ]
    document, report = imported({"monitorList": pages}, tmp_path)
    domains = [target["host"] for target in document["targets"] if target["kind"] == "domain"]
    assert domains == ["example.co.uk"]
    assert len(report.entries[0].ids) == 2


def test_groups_are_names_and_switches(tmp_path: Path) -> None:
    monitors = {
        "1": {"id": 1, "name": "Prod", "type": "group", "active": False},
        "2": {"id": 2, "name": "Web", "type": "group", "parent": 1},
        "3": {"id": 3, "name": "API", "type": "port", "hostname": "a.example.com", "port": 1,
              "parent": 2, "description": "orders; password: hunter22"},
        "4": {"id": 4, "name": "API", "type": "port", "hostname": "b.example.com", "port": 1},
    }  # fmt: skip
    document, report = imported(monitors, tmp_path)  # the form of getMonitorList
    first, second = document["targets"]
    assert (first["id"], first["enabled"]) == ("prod-web-api", False)
    assert first["tags"] == ["Prod / Web"]
    assert first["purpose"] == "orders; password: ***"
    assert (second["id"], "enabled" in second) == ("api", False)
    assert report.count("left_out") == 2


def test_a_folder_with_a_file_for_each_monitor(tmp_path: Path) -> None:
    for at in range(2):
        monitor = {"type": "port", "name": f"P{at}", "hostname": "a.example.com", "port": 80 + at,
                   "max_retries": 1, "notification_name_list": ["Phone"]}  # fmt: skip
        (tmp_path / f"{at}.json").write_text(json.dumps(monitor))
    (tmp_path / ".hidden.json").write_text("{")
    (tmp_path / "notes.md").write_text("{")
    (tmp_path / "out.json").symlink_to("/etc/hostname")
    found = wing.read([tmp_path], OPTIONS)
    assert ([one.name for one in found.entries], found.unreadable) == (["P0", "P1"], [])
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no file with" in wing.read([empty], OPTIONS).unreadable[0].why


def test_groups_by_name_and_groups_that_are_nowhere(tmp_path: Path) -> None:
    text = """
    monitors:
      google:
        - {name: Mail, type: port, hostname: mail.example.com, port: 25}
    """
    document, _ = imported(text, tmp_path)
    assert document["targets"][0]["id"] == "google-mail"
    monitor = {"name": "A", "type": "port", "hostname": "a.example.com", "port": 1}
    _, report = imported([monitor | {"parent_name": "nowhere"}], tmp_path)
    assert report.entries[0].differences == ("its group is in none of the files",)


def test_a_file_of_people_with_levels(tmp_path: Path) -> None:
    text = """
    settings:
      defaults: {interval: 30, max_retries: 1, retry_interval: 20}
    groups:
      - name: Home
        monitors:
          - name: Media
            type: group
            monitors:
              - {name: TV, type: http, url: "http://tv.lan:8096/", ip_family: 6, bypass: true}
    """
    document, report = imported(text, tmp_path)
    (target,) = document["targets"]
    assert (target["id"], target["interval"]) == ("home-media-tv", "30s")
    assert [entry.name for entry in report.entries] == ["Home/Media", "Home / Media/TV"]
    assert any("`bypass`" in one for one in report.entries[1].differences)
    assert any("not only those of 6" in one for one in report.entries[1].differences)


def test_every_field_that_was_not_used_is_named(tmp_path: Path) -> None:
    _, entry = http(tmp_path, packetSize=1400, game="csgo", mqttTopic="", weight=3)
    assert {one.what for one in entry.ignored} == {"packetSize", "game"}


def database(folder: Path) -> Path:
    """A `kuma.db` with the columns of version 2 that matter here."""
    file = folder / "kuma.db"
    with sqlite3.connect(file) as connection:
        connection.executescript("""
            CREATE TABLE monitor (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN, type TEXT,
              url TEXT, hostname TEXT, port INTEGER, interval INTEGER, retry_interval INTEGER,
              maxretries INTEGER, accepted_statuscodes_json TEXT, push_token TEXT, parent INTEGER,
              ignore_tls BOOLEAN, upside_down BOOLEAN, expiry_notification BOOLEAN);
            CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE monitor_tag (monitor_id INTEGER, tag_id INTEGER, value TEXT);
            CREATE TABLE maintenance (id INTEGER PRIMARY KEY, title TEXT, active BOOLEAN,
              strategy TEXT, start_date TEXT, end_date TEXT, start_time TEXT, end_time TEXT,
              weekdays TEXT, days_of_month TEXT, interval_day INTEGER, cron TEXT, timezone TEXT,
              duration INTEGER);
            CREATE TABLE monitor_maintenance (monitor_id INTEGER, maintenance_id INTEGER);
            CREATE TABLE setting (id INTEGER PRIMARY KEY, key TEXT, value TEXT);
            INSERT INTO monitor VALUES (1,'Web',1,'http','https://w.example.com',NULL,NULL,60,60,1,
              '["200-299","401"]',NULL,NULL,0,0,1);
            INSERT INTO monitor VALUES (2,'Job',0,'push',NULL,NULL,NULL,60,60,0,
              '["200-299"]','canarytoken0123456789',NULL,0,0,0);
            INSERT INTO tag VALUES (7,'prod');
            INSERT INTO monitor_tag VALUES (1,7,'eu');
            INSERT INTO maintenance VALUES (1,'Patch night',1,'recurring-weekday',NULL,NULL,'02:00',
              '04:30','[2,4]','[]',1,NULL,'Europe/Berlin',NULL);
            INSERT INTO monitor_maintenance VALUES (1,1);
            INSERT INTO setting VALUES (1,'tlsExpiryNotifyDays','[10,5]');
        """)
    return file


def test_the_database_is_read_and_not_touched(tmp_path: Path) -> None:
    file = database(tmp_path)
    before = file.read_bytes()
    document, report = assemble(wing.read([file], OPTIONS), OPTIONS)
    web, job = document["targets"]
    assert web["probe"]["status"] == ["200-299", 401]
    assert web["probe"]["warn_days"] == 10
    assert web["tags"] == ["prod:eu"]
    assert (job["kind"], job["enabled"]) == ("heartbeat", False)
    assert document["maintenance"] == [
        {
            "name": "Patch night",
            "targets": ["web"],
            "start": "2026-01-01T02:00",
            "timezone": "Europe/Berlin",
            "duration": "150m",
            "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
        }
    ]
    assert report.unreadable == ()
    assert (file.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (before, ["kuma.db"])
    broken = tmp_path / "broken.db"
    shutil.copy(file, broken)
    broken.write_bytes(before[:3000] + b"\xff" * 3000)
    assert wing.read([broken], OPTIONS).unreadable


@pytest.mark.parametrize(
    ("window", "wanted"),
    [
        (
            {"strategy": "single", "dateRange": ["2036-05-01 22:00:00", "2036-05-02 01:00:00"]},
            {"start": "2036-05-01T22:00", "duration": "3h"},
        ),
        (
            {"strategy": "recurring-interval", "intervalDay": 3,
             "dateRange": ["2026-03-01 00:00:00"],
             "timeRange": [{"hours": 23, "minutes": 0}, {"hours": 1, "minutes": 0}]},
            {"start": "2026-03-01T23:00", "duration": "2h", "rrule": "FREQ=DAILY;INTERVAL=3"},
        ),
        (
            {"strategy": "recurring-day-of-month", "daysOfMonth": [15, "lastDay1"],
             "timeRange": [{"hours": 2, "minutes": 0}, {"hours": 3, "minutes": 0}]},
            {"start": "2026-01-15T02:00", "rrule": "FREQ=MONTHLY;BYMONTHDAY=15,-1"},
        ),
        (
            {"strategy": "cron", "cron": "30 3 * * 1-5", "durationMinutes": 60},
            {"start": "2026-01-01T03:30", "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
        ),
    ],
    ids=lambda one: one.get("strategy"),
)  # fmt: skip
def test_windows(window: dict[str, Any], wanted: dict[str, Any], tmp_path: Path) -> None:
    monitor = {"id": 9, "name": "A", "type": "port", "hostname": "a.example.com", "port": 1}
    maintenance = {
        "title": "W",
        "active": True,
        "timezone": "Europe/Berlin",
        "monitors": [{"id": 9}],
    }
    value = {"monitorList": [monitor], "maintenanceList": [maintenance | window]}
    document, _ = imported(value, tmp_path)
    (made,) = document["maintenance"]
    assert {name: made[name] for name in wanted} == wanted
    assert made["targets"] == ["a"]


def test_windows_without_an_equal_are_named(tmp_path: Path) -> None:
    windows = [
        {"title": "A", "strategy": "manual", "active": True, "monitors": [9]},
        {"title": "B", "strategy": "cron", "cron": "*/5 * * * *", "duration": 60, "monitors": [9]},
        {"title": "C", "strategy": "single", "dateRange": ["2001-01-01", "2001-01-02"],
         "monitors": [9]},
        {"title": "D", "strategy": "single", "dateRange": ["x"], "monitors": [9]},
        {"title": "E", "strategy": "manual"},
    ]  # fmt: skip
    monitor = {"id": 9, "name": "A", "type": "port", "hostname": "a.example.com", "port": 1}
    document, report = imported({"monitorList": [monitor], "maintenanceList": windows}, tmp_path)
    assert "maintenance" not in document
    said = " ".join(one.what for one in report.ignored)
    assert all(f'the maintenance window "{name}"' in said for name in "ABCDE")


TELEGRAM = {"type": "telegram", "telegramBotToken": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
            "telegramChatID": "58704726"}  # fmt: skip
NTFY = {"type": "ntfy", "ntfyserverurl": "https://ntfy.example.com", "ntfytopic": "alerts",
        "ntfyPriority": 4, "ntfyAuthenticationMethod": "none"}  # fmt: skip


def told(folder: Path, *ids: Any, **fields: Any) -> tuple[Any, Report]:
    """An import of two monitors that tell these two notifications."""
    monitors = [
        {"id": at, "name": f"M{at}", "type": "port", "hostname": f"m{at}.example.com", "port": 1,
         "notificationIDList": one, **fields}
        for at, one in enumerate(ids)
    ]  # fmt: skip
    people = [
        {"id": 1, "name": "Ops / chat", "active": True, "config": json.dumps(TELEGRAM)},
        {"id": 2, "name": "Phone", "active": True, "isDefault": True, "config": json.dumps(NTFY)},
        {"id": 3, "name": "Old", "active": False, "config": json.dumps(NTFY)},
        {"id": 4, "name": "Broken", "active": True, "config": "{"},
        {"id": 5, "name": "Nameless", "active": True, "config": "{}"},
    ]
    return imported({"monitorList": monitors, "notificationList": people}, folder)


def test_one_notification_for_all_is_a_default_route(tmp_path: Path) -> None:
    document, report = told(tmp_path, {"2": True}, [2], resendInterval=30, interval=60)
    assert document["routes"]["Phone"]["default"] is True
    assert document["routes"]["Phone"]["remind_every"] == "30m"
    assert "teams" not in document
    named = {one.what for one in report.ignored}
    assert named >= {'the notification "Old"', 'the notification "Nameless"'}
    assert "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in repr((document, report))


def test_who_is_told_together_is_a_team(tmp_path: Path) -> None:
    document, _ = told(tmp_path, {"1": True, "2": True}, {"2": True}, {})
    assert document["teams"] == {
        "Ops chat and Phone": {"routes": ["Ops chat", "Phone"]},
        "Phone": {"routes": ["Phone"]},
    }
    teams = [target.get("team") for target in document["targets"]]
    assert teams == ["Ops chat and Phone", "Phone", None]


def test_notifications_that_are_not_in_the_file_are_named(tmp_path: Path) -> None:
    _, report = told(tmp_path, {"77": True}, {"4": True})
    named = {one.what for one in report.ignored}
    assert 'the notifications of the monitor "M0"' in named
    assert "the configuration of a notification" in named


CANARY = "CANARY-7f3a9b2c4d5e6f708192a3b4"


FIELDS = """
    basic_auth_user basic_auth_pass bearer_token oauth_client_id oauth_client_secret
    oauth_token_url oauth_scopes oauth_audience pushToken radiusUsername radiusPassword
    radiusSecret mqttUsername mqttPassword mqttTopic mqttSuccessMessage mqttWebsocketPath
    authWorkstation authDomain tlsCa tlsCert tlsKey rabbitmqUsername rabbitmqPassword grpcBody
    grpcMetadata grpcProtobuf grpcMethod databaseQuery kafkaProducerTopic kafkaProducerMessage
    gamedigToken snmpV3Username radiusCalledStationId radiusCallingStationId dns_last_result
    docker_container system_service_name description manual_status custom
""".split()  # noqa: SIM905 - a list of words
"""Fields of a monitor with a text that is nobody's business."""


def fields_with_canaries() -> dict[str, Any]:
    """Every field of a monitor that has a text, with a token in it."""
    plain = dict.fromkeys(FIELDS, CANARY)
    return plain | {
        "headers": json.dumps({"Authorization": f"Bearer {CANARY}", "X-Any": CANARY,
                               "Cookie": CANARY,
                               "User-Agent": f"probe {CANARY}"}),
        "body": json.dumps({"a": CANARY, "b": [{"token": CANARY}], "c": f"x {CANARY}"}),
        "tags": [{"name": "prod", "value": CANARY}],
        "databaseConnectionString": f"postgres://user:{CANARY}@db.example.com/{CANARY}?x={CANARY}",
        "kafkaProducerSaslOptions": {"mechanism": "plain", "username": CANARY, "password": CANARY},
        "kafkaProducerBrokers": ["k.example.com:9092"],
        "rabbitmqNodes": ["https://r.example.com"],
        "grpcUrl": "g.example.com:443",
        "hostname": "a.example.com",
        "port": 4242,
        "url": f"https://user:{CANARY}@a.example.com/hook/{CANARY}?api_key={CANARY}&q={CANARY}",
        "method": "POST",
        "game": "csgo",
        "expectedValue": "1",
        "jsonPath": "a",
    }  # fmt: skip


KINDS = ["docker", "system-service", "manual", "radius", "json-query", "keyword", "http", "nothing"]
AUTHS = ["basic", "bearer", "ntlm", "oauth2-cc", "mtls", None, CANARY]


def test_no_token_is_copied_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    types = sorted({str(monitor["type"]) for monitor, _ in TYPES} | set(KINDS))
    monitors = [
        fields_with_canaries()
        | {"id": at, "name": f"M{at}", "type": kind, "authMethod": auth, "notificationIDList": [1]}
        | ({"headers": None} if auth else {})
        | (
            {"httpBodyEncoding": "form", "body": f"token={CANARY}&x={CANARY}"}
            if at % 3 == 1
            else {}
        )
        | ({"httpBodyEncoding": "xml", "body": f"<a>{CANARY}</a>"} if at % 3 == 2 else {})
        for at, (kind, auth) in enumerate((kind, auth) for kind in types for auth in AUTHS)
    ]
    proxy = {"id": 1, "protocol": "http", "host": "p.example.com", "port": 1, "auth": True,
             "username": CANARY, "password": CANARY, "active": True}  # fmt: skip
    providers = ("telegram", "discord", "webhook", "smtp", "slack", "ntfy", "unknown")
    notifications = [
        {"id": at, "name": "People", "config": json.dumps(
            {"type": name, **dict.fromkeys(("token", "telegramBotToken", "discordWebhookUrl",
             "webhookURL", "slackwebhookURL", "smtpPassword", "ntfyaccesstoken", "x"), CANARY)})}
        for at, name in enumerate(providers)
    ]  # fmt: skip
    value = {
        "monitorList": [
            one | {"proxyId": 1 if at % 2 else None} for at, one in enumerate(monitors)
        ],
        "proxyList": [proxy],
        "notificationList": notifications,
        "settings": {"steamAPIKey": CANARY},
        "apiKeyList": [{"key": CANARY}],
    }
    document, report = imported(value, tmp_path)
    assert len(report.entries) == len(monitors)
    written = (
        *(writer.document(document, report), reporting.markdown(report), caplog.text),
        *(msgspec.json.encode(reporting.as_json(report)).decode(), repr(document), repr(report)),
        *reporting.lines(report),
    )
    for text in written:
        assert "CANARY" not in text
        assert CANARY.partition("-")[2] not in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"text"',
        "{}",
        '{"monitorList": 5}',
        '{"monitorList": [1, null, "x", []]}',
        '{"monitorList": [{"name": {"a": 1}, "type": ["http"], "url": 5}]}',
        "[" * 5000,
        "- !!python/object:os.system x",
        "a: &a [*a, *a]",
    ],
)
def test_whatever_a_file_has_is_told(text: str, tmp_path: Path) -> None:
    _, report = imported(text, tmp_path)
    assert report.unreadable or report.entries


LONG = 300_000


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("http", {"url": "https://a.example.com/?" + "a" * LONG}),
        ("http", {"url": "https://a.example.com/" + "x/" * LONG}),
        ("http", {"url": "https://a.example.com/", "body": "&" * LONG, "httpBodyEncoding": "form"}),
        ("keyword", {"url": "https://a.example.com/", "keyword": '{"' + '\\"' * LONG}),
        ("json-query", {"url": "https://a.example.com/", "jsonPath": '"' * LONG}),
        ("sqlserver", {"databaseConnectionString": "server=a" + " " * LONG + "x,"}),
        ("port", {"hostname": "a" * LONG, "port": 1, "description": "://" * LONG}),
        ("dns", {"hostname": "a.example.com", "dns_resolve_server": " ," * LONG}),
    ],
)
def test_long_texts_take_no_long_time(kind: str, fields: dict[str, Any], tmp_path: Path) -> None:
    """A pattern that is quadratic would take minutes: the limit of the suite ends it."""
    _, entry = one(tmp_path, type=kind, **fields)
    assert entry.outcome in {"exact", "nearly", "left_out"}


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted({str(monitor["type"]) for monitor, _ in TYPES})),
    st.dictionaries(st.sampled_from([*fields_with_canaries(), "maxretries", "interval", "timeout",
                                     "conditions", "notificationIDList", "accepted_statuscodes"]),
                    ANY, max_size=6),
)  # fmt: skip
def test_any_value_in_any_field(tmp_path: Path, kind: str, fields: dict[str, Any]) -> None:
    monitor = fields_with_canaries() | {"name": "M", "type": kind} | fields
    _, report = imported({"monitorList": [monitor]}, tmp_path)
    assert len(report.entries) == 1
