"""The arguments of `portquorum beat`, as a value."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

DEFAULT_URL: Final = "http://127.0.0.1:9480"
URL_VARIABLE: Final = "PORTQUORUM_BEAT_URL"
USAGE: Final = "portquorum beat TOKEN [--url URL] [--start | --fail | --log TEXT] [-- COMMAND…]"
_FLAGS: Final = ("--start", "--fail")
_WITH_VALUE: Final = ("--url", "--log", "--run")


class WrongWordsError(ValueError):
    """The arguments are wrong; the text says what was expected and what was found."""


class Wanted(NamedTuple):
    """What to report: `address` without an ending, `ending` of a single report (`/start`, …).

    `said` is the body of a single report, `run` its run; `command` runs, if there is one.
    """

    address: str
    ending: str = ""
    said: str = ""
    run: str = ""
    command: tuple[str, ...] = ()


def wanted(words: Sequence[str], env: Mapping[str, str]) -> Wanted:
    """What the arguments behind `beat` say.

    Raises:
        WrongWordsError: they are wrong.
    """
    options, given, command = _taken_apart(words)
    if len(given) != 1:
        found = "nothing" if not given else f"{given[1]!r} behind it; a command follows --"
        raise WrongWordsError(f"expected one TOKEN (or KEY/NAME), found {found}")
    endings = [name for name in ("--start", "--fail", "--log") if name in options]
    if len(endings) > 1:
        raise WrongWordsError(f"expected one of {' and '.join(endings)}")
    alone: list[str] = [*endings, *(["--run"] if "--run" in options else [])]
    if command and alone:
        what = alone[0]
        raise WrongWordsError(f"expected {what} without a command: that has its own reports")
    if command == ():
        raise WrongWordsError("expected a command behind --")
    base = options.get("--url") or env.get(URL_VARIABLE) or DEFAULT_URL
    return Wanted(
        address=_address(given[0], base),
        ending=f"/{endings[0].removeprefix('--')}" if endings else "",
        said=options.get("--log", ""),
        run=options.get("--run", ""),
        command=command or (),
    )


def _taken_apart(
    words: Sequence[str],
) -> tuple[dict[str, str], list[str], tuple[str, ...] | None]:
    """Options, other arguments, and the command; None: there is no `--`."""
    options: dict[str, str] = {}
    given: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name, has_value, value = word.partition("=")
        if word == "--":
            return options, given, tuple(left)
        if word in _FLAGS:
            options[word] = ""
        elif name in _WITH_VALUE:
            if not has_value and not left:
                raise WrongWordsError(f"expected a value behind {name}")
            options[name] = value if has_value else left.pop(0)
        elif word.startswith("-"):
            raise WrongWordsError(f"expected {USAGE}; there is no option {word!r}")
        else:
            given.append(word)
    return options, given, None


def _address(token: str, base: str) -> str:
    if token.startswith("@"):
        try:
            token = Path(token[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongWordsError(f"the file of the token can't be read: {error}") from error
    address = token if token.startswith(("http://", "https://")) else _joined(base, token)
    if not address.isascii() or not address.isprintable() or {" ", "?", "#"} & set(address):
        raise WrongWordsError("expected a TOKEN of letters, digits and . _ ~ - / alone")
    return address.rstrip("/")


def _joined(base: str, token: str) -> str:
    if not base.startswith(("http://", "https://")):
        raise WrongWordsError(f"expected a URL with http:// or https://, found {base!r}")
    base = base.rstrip("/")
    return f"{base}/{token}" if base.endswith("/ping") else f"{base}/ping/{token}"
