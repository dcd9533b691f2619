"""What the pages say of files, settings and packages is so."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from foundation.settings import Settings, default_data_dir

ROOT = Path(__file__).parents[3]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    inline = re.findall(r"\]\(([^)\s]+)\)", text)
    for target in inline + re.findall(r"^\[\w+\]: (\S+)", text, re.MULTILINE):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        where = (page.parent / path) if path else page
        assert where.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", where.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}
            assert anchor in slugs, target


def test_every_setting_is_in_the_table_with_its_default() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("| `PORTQUORUM_")]
    listed = set(re.findall(r"`PORTQUORUM_(\w+)`", "\n".join(line.split("|")[1] for line in table)))
    fields = Settings.__struct_fields__
    assert listed == {field.upper() for field in fields}
    defaults = dict(zip(fields, Settings.__struct_defaults__, strict=True))
    for line in table:
        _, variables, shown, _, _ = (cell.strip() for cell in line.split("|"))
        name = re.findall(r"`PORTQUORUM_(\w+)`", variables)[0].lower()
        if name == "data_dir":
            home = str(Path.home())
            assert shown == f"`{str(default_data_dir({})).replace(home, '~')}`"
        elif defaults[name] is not None:
            assert shown == f"`{defaults[name]}`", name


def test_every_dependency_says_why_it_is_there() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text().lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        name = re.split(r"[\[<>=]", requirement)[0]
        assert name.removeprefix("types-") in page, name
        if name == "portquorum":  # an extra that brings another one
            continue
        bounded, _, _ = requirement.partition(";")  # what follows says for which Pythons
        assert re.search(r">=[\d.]+,<[\d.]+$", bounded), requirement


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for page in folder.glob("0*.md"):
        title = page.read_text().splitlines()[0].removeprefix("# ")
        number, _, words = title.partition(". ")
        assert f"{number}. [{words}]({page.name})" in index
