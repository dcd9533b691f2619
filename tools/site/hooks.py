# ruff: noqa: INP001 - mkdocs loads this file by its path
"""Hooks of mkdocs: what the pages link to beside `docs/` becomes a part of the site.

Pages are read in the repository, too, where `../schemas/json/results.schema.json` leads to the
file. In the site such a link leads to a copy below `source/`, and a link to a folder to a page that
lists it. See mkdocs.org/user-guide/configuration/#hooks.
"""

import re
import subprocess
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[2]
ALWAYS: Final = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""Pages of the repository that the site has, too."""

_LINK: Final = re.compile(
    r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<path>[A-Za-z0-9._][^):\s#]*)(?P<anchor>#[^)]*)?\)"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a copy of each file that a page links to, and a page for each such folder."""
    docs = Path(config.docs_dir)
    linked = {path for page in docs.rglob("*.md") for path in _links(page)}
    for path in sorted({*linked, *filter(lambda name: (ROOT / name).exists(), ALWAYS)}):
        if path.startswith("docs/"):
            continue
        for inside in _tracked(path):
            _add(files, _file(config, f"source/{inside}", abs_src_path=str(ROOT / inside)))
        if (ROOT / path).is_dir():
            _add(files, _file(config, f"source/{path}/index.md", content=_listing(path)))
    return files


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Points links to files of the repository to where the site has them, and mends lists.

    A link to what the site does not have becomes its text.
    """
    del config
    here = page.file.src_uri
    folder = str(PurePosixPath(_in_repository(here)).parent)

    def there(found: re.Match[str]) -> str:
        target = normpath(f"{folder}/{found['path']}")
        if not (ROOT / target).exists():
            return found[0]  # mkdocs says so
        site = _in_site(target)
        if files.get_file_from_path(site) is None:
            return found["text"]
        start = str(PurePosixPath(here).parent)
        return f"[{found['text']}]({relpath(site, start)}{found['anchor'] or ''})"

    return _LINK.sub(there, _numbered(markdown))


def _numbered(markdown: str) -> str:
    """Moves what belongs to an item of a numbered list from three spaces to four.

    Three are enough in the repository; here a list would end at such a block and count from 1 anew.
    An item that follows a block needs an empty line before it, too.
    """
    lines: list[str] = []
    inside = blocks = False
    for line in markdown.split("\n"):
        if line and not line.startswith(" "):
            item = re.match(r"\d+\. ", line) is not None
            if item and inside and blocks:
                lines.append("")
            inside, blocks = item, False
        blocks = blocks or not line
        lines.append(f" {line}" if inside and line.startswith("   ") else line)
    return "\n".join(lines)


def _in_repository(page: str) -> str:
    inside = page.removeprefix("source/")
    return inside if inside != page else f"docs/{page}"


def _in_site(path: str) -> str:
    if (ROOT / path).is_dir():
        path += "/README.md" if path.startswith("docs/") else "/index.md"
    inside = path.removeprefix("docs/")
    return inside if inside != path else f"source/{path}"


def _links(page: Path) -> set[str]:
    """The paths from the root of the repository that a page links to."""
    folder = page.parent.relative_to(ROOT).as_posix()
    found = (normpath(f"{folder}/{link['path']}") for link in _LINK.finditer(page.read_text()))
    return {path for path in found if not path.startswith("..") and (ROOT / path).exists()}


def _tracked(path: str) -> list[str]:
    command = ["git", "ls-files", "--", path]
    listed = subprocess.run(  # noqa: S603 - git, with paths of ours
        command, cwd=ROOT, capture_output=True, check=True, text=True
    )
    return listed.stdout.splitlines()


def _file(config: MkDocsConfig, path: str, **source: str) -> File:
    return File.generated(config, path, inclusion=InclusionLevel.NOT_IN_NAV, **source)


def _add(files: Files, file: File) -> None:
    if files.get_file_from_path(file.src_uri) is None:
        files.append(file)


def _listing(path: str) -> str:
    names = [file.removeprefix(f"{path}/") for file in _tracked(path)]
    return "\n".join([f"# {path}", "", *(f"- [{name}]({name})" for name in names), ""])
