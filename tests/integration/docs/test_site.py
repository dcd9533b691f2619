"""The documentation as a site: `make site`, with strict links and nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_docs_is_a_page_of_the_site(site: Path) -> None:
    docs = ROOT / "docs"
    for page in docs.rglob("*.md"):
        path = page.relative_to(docs).with_suffix(".html").as_posix()
        assert (site / path.replace("README.html", "index.html")).is_file(), path


def test_a_page_needs_no_server_but_its_own(site: Path) -> None:
    fetched = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="?(https?:)?//[^">]+')
    for page in site.rglob("*.html"):
        found = fetched.search(page.read_text())
        assert found is None or 'rel="canonical"' in found[0], f"{page.name}: {found}"


def test_what_is_linked_in_the_repository_is_there(site: Path) -> None:
    assert (site / "source/schemas/json/results.schema.json").is_file()
    listed = (site / "source/schemas/examples/results/index.html").read_text()
    assert ".json" in listed
    assert "source/schemas/json/results.schema.json" in (site / "results.html").read_text()
    assert (site / "source/CHANGELOG.html").is_file()


def test_a_numbered_list_goes_on_behind_its_blocks(site: Path) -> None:
    way = (site / "import.html").read_text().partition("The whole way")[2].rpartition("<h2")[0]
    first = re.search(r"<ol>(.*?)</ol>", way, re.DOTALL)
    assert first is not None
    assert first[1].count("<li>") == 6
    assert "<pre" in first[1]
