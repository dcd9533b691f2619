"""deploy/kubernetes by kustomize and kubeconform, as people apply it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import kubernetes_validate
import pytest

from tests.wide.installed import WIDE, missing

pytestmark = pytest.mark.wide

OVERLAY: Final = Path(__file__).parents[2] / "deploy" / "kubernetes" / "overlays" / "example"
SCHEMAS: Final = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
KINDS: Final = (
    *("configmap-v1", "secret-v1", "namespace-v1", "service-v1", "deployment-apps-v1"),
    *("job-batch-v1", "ingress-networking-v1", "networkpolicy-networking-v1"),
    "poddisruptionbudget-policy-v1",
)


def tool(name: str) -> str:
    inside = WIDE / "go-tools" / name
    return str(inside) if inside.exists() else shutil.which(name) or missing(name)


def flat(version: str, folder: Path) -> Path:
    """Schemas of our kinds, each with its definitions: kubeconform follows no `$id`."""
    source = SCHEMAS / f"v{version}.0-local-strict"
    shared = json.loads((source / "_definitions.json").read_text())["$defs"]
    for kind in KINDS:
        schema = json.loads((source / f"{kind}.json").read_text())
        schema.pop("$id")
        text = json.dumps({**schema, "$defs": shared})
        (folder / f"{kind}.json").write_text(text.replace('"/api/_definitions.json#', '"#'))
    return folder


@pytest.mark.parametrize("version", ["1.28", "1.33", "1.37"])
def test_kubeconform_takes_what_kustomize_makes(version: str, tmp_path: Path) -> None:
    build = subprocess.run(
        [tool("kustomize"), "build", str(OVERLAY)], capture_output=True, check=True
    )
    schemas = flat(version, tmp_path)
    done = subprocess.run(
        [
            *(tool("kubeconform"), "-strict", "-output", "json", "-summary"),
            *("-schema-location", f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"),
        ],
        input=build.stdout,
        capture_output=True,
        check=False,
    )
    said = json.loads(done.stdout)
    assert done.returncode == 0, said
    assert said["summary"] == {"valid": 26, "invalid": 0, "errors": 0, "skipped": 0}
