"""Manifests of deploy/kubernetes: valid for Kubernetes, and no role may more than it needs."""

from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from portquorum.cli.app import app

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "kubernetes"
VERSION: Final = "1.33"
"""`make wide` has an older and a newer one, by kustomize and kubeconform."""


def documents(folder: str) -> list[dict[str, Any]]:
    paths = sorted((FOLDER / folder).glob("*.yaml"))
    found = [one for path in paths for one in yaml.safe_load_all(path.read_text())]
    return [one for one in found if one.get("kind") not in (None, "Kustomization")]


ALL: Final = [*documents("base"), *documents("overlays/example")]
ROLES: Final = [one for one in documents("base") if one["kind"] == "Deployment"]
PODS: Final = [one for one in ALL if one["kind"] in {"Deployment", "Job"}]


def name(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


each_role = pytest.mark.parametrize("role", ROLES, ids=name)
each_pod = pytest.mark.parametrize("pod", PODS, ids=name)


def test_kubernetes_takes_them() -> None:
    for document in ALL:
        kubernetes_validate.validate(document, VERSION, strict=True)


@each_pod
def test_a_pod_is_of_the_restricted_kind(pod: dict[str, Any]) -> None:
    # kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    spec = pod["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False, "PORTQUORUM_WEB_PORT would be read as a setting"
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@each_pod
def test_a_pod_runs_a_command_that_there_is(pod: dict[str, Any]) -> None:
    words = pod["spec"]["template"]["spec"]["containers"][0]["args"]
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    # No file of the container is here.
    words = [__file__ if word.startswith("/") else word for word in words]
    command.make_context("", ["eu-west" if "$" in word else word for word in words])


@each_role
def test_a_role_is_probed_spread_and_may_lose_one_pod(role: dict[str, Any]) -> None:
    spec = role["spec"]["template"]["spec"]
    label = {"app.kubernetes.io/component": role["metadata"]["name"]}
    [container] = spec["containers"]
    assert {"startupProbe", "livenessProbe"} <= container.keys()
    assert spec["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == label
    assert spec["terminationGracePeriodSeconds"] > 10, "a role ends within 10 s"
    budgets = [one for one in ALL if one["kind"] == "PodDisruptionBudget"]
    assert label in [one["spec"]["selector"]["matchLabels"] for one in budgets]
    assert role["spec"]["replicas"] >= 2


def test_secrets_of_checks_are_given_to_probers_alone_and_those_of_channels_to_the_notifier() -> (
    None
):
    given: dict[str, set[str]] = {}
    for role in ROLES:
        for source in role["spec"]["template"]["spec"]["containers"][0]["envFrom"]:
            if "secretRef" in source:
                given.setdefault(source["secretRef"]["name"], set()).add(role["metadata"]["name"])
    assert given["portquorum-check-secrets"] == {"prober"}
    assert given["portquorum-channel-secrets"] == {"notifier"}
