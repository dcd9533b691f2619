"""What can be known of docker-compose.yml and the Dockerfile without Docker."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import msgspec
import pytest
import typer
import yaml

from foundation import settings
from portquorum.cli.app import app
from portquorum.embedded.kafka.jars import KAFKA_VERSION
from portquorum.inventory import check

ROOT = Path(__file__).parents[3]
SCHEMA = msgspec.json.decode(Path(__file__).with_name("compose-spec.json").read_bytes())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("portquorum:")}
THREE: dict[str, Any] = yaml.safe_load(
    (ROOT / "deploy" / "compose" / "three-brokers.yml").read_text()
)
every_service = pytest.mark.parametrize("name", SERVICES)
every_role = pytest.mark.parametrize("name", OURS)
PINNED = re.compile(r"[a-z0-9/_-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)*")


def test_it_follows_the_compose_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_everything_of_the_whole_line_is_there() -> None:
    commands = sorted(service["command"][0] for service in OURS.values())
    assert commands == ["inventory", "notify", "probe", "probe", "probe", "sink", "stream", "web"]
    assert set(SERVICES) - set(OURS) == {"kafka", "clickhouse"}


def test_one_service_builds_the_image_and_the_others_wait_for_it() -> None:
    """Parallel builds of one tag fail on a machine that has no such image yet."""
    assert [name for name, service in SERVICES.items() if "build" in service] == ["inventory"]
    assert SERVICES["inventory"]["build"] == "."
    assert "pull_policy" not in SERVICES["inventory"]
    for name in set(OURS) - {"inventory"}:
        assert OURS[name]["pull_policy"] == "never"
        waits = OURS[name]["depends_on"]["inventory"]
        assert waits == {"condition": "service_completed_successfully"}


@every_service
def test_images_are_pinned(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


@every_service
def test_every_service_restarts_and_tells_its_health(name: str) -> None:
    assert SERVICES[name]["restart"] in {"unless-stopped", "on-failure:10"}
    once = SERVICES[name].get("command", [""])[0] == "inventory"
    assert once == ("disable" in SERVICES[name]["healthcheck"])
    assert once == ("test" not in SERVICES[name]["healthcheck"])


@every_service
def test_what_it_waits_for_tells_its_health(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if other == "inventory":
            continue
        assert how == {"condition": "service_healthy"}
        assert "test" in SERVICES[other]["healthcheck"]


@every_service
def test_ports_are_on_loopback_and_volumes_are_named(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (
            source.startswith("./") and (ROOT / source).exists()
        )


def test_data_outlives_the_containers() -> None:
    used = {v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= used


@every_role
def test_every_variable_is_a_setting_with_a_good_value(name: str) -> None:
    found = {
        variable: re.sub(
            r"\$\{\w+:-([^}]*)\}", r"\1", re.sub(r"\$\{\w+:\?[^}]*\}", "a-b.c_1~", str(value))
        )
        for variable, value in OURS[name]["environment"].items()
    }
    fields = {f"PORTQUORUM_{field.upper()}" for field in settings.Settings.__struct_fields__}
    assert set(found) <= fields
    loaded = settings.load(found, ROOT / "deploy")
    if OURS[name].get("network_mode") == "host":
        assert (loaded.kafka, loaded.metrics) == ("127.0.0.1:29092", "auto")
        assert urlsplit(loaded.clickhouse).hostname == "127.0.0.1"
        return
    assert loaded.kafka == "kafka:9092"
    assert loaded.metrics == "0.0.0.0:9400"


def test_the_page_alone_is_in_the_hosts_network_and_all_it_needs_is_there() -> None:
    """It listens on loopback, and a container's own one nobody reaches."""
    assert [name for name, one in SERVICES.items() if "network_mode" in one] == ["web"]
    assert "127.0.0.1:29092:29092" in SERVICES["kafka"]["ports"]
    assert "127.0.0.1:8123:8123" in SERVICES["clickhouse"]["ports"]
    assert settings.Settings().web_listen in SERVICES["web"]["healthcheck"]["test"][-1]


def test_a_prometheus_of_the_network_may_name_each_role() -> None:
    for name in OURS.keys() - {"inventory", "web"}:
        listed = OURS[name]["environment"]["PORTQUORUM_HTTP_HOSTS"]
        assert name in settings.load({"PORTQUORUM_HTTP_HOSTS": listed}).http_host_names


def test_no_password_has_a_default() -> None:
    """Nor is one written here: compose says what is missing, and starts nothing."""
    for service in SERVICES.values():
        for variable, value in service["environment"].items():
            secrets = re.findall(r"\$\{\w*PASSWORD\w*([^}]*)\}", str(value))
            assert all(secret.startswith(":?set it") for secret in secrets)
            if "PASSWORD" in variable or re.search(r"//[^/]*:[^/]*@", str(value)):
                assert secrets, variable
    assert "portquorum:portquorum" not in (ROOT / "docker-compose.yml").read_text()
    for text in (ROOT / "docs" / "deploy.md", ROOT / "README.md", ROOT / "Dockerfile"):
        assert not re.search(r"PASSWORD=\w", text.read_text()), text


@every_role
def test_every_command_exists_with_its_options(name: str) -> None:
    command: Any = typer.main.get_command(app)
    arguments = list(OURS[name]["command"])
    while arguments and hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


def test_the_inventory_is_fine_and_has_the_probers_regions() -> None:
    targets = check([ROOT / "deploy" / "inventory.yaml"]).targets
    probers = [service["command"] for service in OURS.values() if service["command"][0] == "probe"]
    regions = {command[command.index("--region") + 1] for command in probers}
    assert {region for target in targets for region in target.regions} == regions
    assert {target.host for target in targets} <= set(SERVICES)


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_the_image_runs_as_nobody_special_and_carries_no_embedded_services() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert all(PINNED.fullmatch(line.split()[1]) for line in lines if line.startswith("FROM "))
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in {"0", "root"}
    assert not any("embedded]" in line for line in lines)
    assert any("'.[web]'" in line for line in lines)


def test_the_image_gets_every_package() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    dockerfile = (ROOT / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == sorted(path.parent.name for path in ROOT.glob("*/py.typed"))
    for package in packages:
        assert f"COPY {package} {package}" in dockerfile
        assert f"!{package}" in ignored


def test_the_images_version_is_the_packages() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert {service["image"] for service in OURS.values()} == {f"portquorum:{version[1]}"}


def test_three_brokers_follow_the_compose_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(THREE)


def test_every_broker_is_one_of_three_and_any_one_may_be_away() -> None:
    brokers = {name: one for name, one in THREE["services"].items() if name.startswith("kafka")}
    merged = {
        name: {
            **(SERVICES["kafka"]["environment"] if name == "kafka" else {}),
            **one["environment"],
        }
        for name, one in brokers.items()
    }
    voters = ",".join(f"{one['KAFKA_NODE_ID']}@{name}:9093" for name, one in merged.items())
    assert len(merged) == 3
    images = {brokers[name]["image"] for name in ("kafka-2", "kafka-3")}
    assert images == {SERVICES["kafka"]["image"]}
    for name, one in merged.items():
        assert set(one) == set(merged["kafka"])
        assert one["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert f"PLAINTEXT://{name}:9092" in one["KAFKA_ADVERTISED_LISTENERS"]
        # Of each topic there are three copies, and two confirm a record.
        assert {one[key] for key in one if key.endswith("REPLICATION_FACTOR")} == {3}
        assert {one[key] for key in one if "MIN_I" in key} == {2}
    alike = {"CLUSTER_ID", "KAFKA_LOG_DIRS", "KAFKA_HEAP_OPTS", "KAFKA_PROCESS_ROLES"}
    assert all(one[key] == merged["kafka"][key] for one in merged.values() for key in alike)


def test_every_role_knows_all_three_brokers() -> None:
    brokers = [name for name in THREE["services"] if name.startswith("kafka")]
    for name in OURS:
        told = THREE["services"][name]["environment"]
        assert told["PORTQUORUM_REPLICATION_FACTOR"] == len(brokers)
        inside = ",".join(f"{broker}:9092" for broker in brokers)
        ports = [
            (THREE["services"][broker].get("ports") or SERVICES[broker]["ports"])[0]
            for broker in brokers
        ]
        on_host = ",".join(port.rpartition(":")[0] for port in ports)
        assert told["PORTQUORUM_KAFKA"] == (on_host if name == "web" else inside)
    assert {"kafka-2", "kafka-3"} <= set(THREE["services"]["inventory"]["depends_on"])


def test_the_health_checks_have_no_blank_in_an_argument() -> None:
    """Podman 4 cuts the arguments there (seen with 4.3.1)."""
    for service in SERVICES.values():
        assert all(" " not in word for word in service["healthcheck"].get("test", []))
