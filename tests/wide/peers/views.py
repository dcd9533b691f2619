"""What a browser looks for on each tool's page, and what a person clicks there."""

from msgspec import Struct

from tests.wide.peers.fleet import TEAMS


class View(Struct, frozen=True):
    """Of one tool's first page.

    `row`: whether a monitor that is down is named; `down`: how many are, as the page tells it
    without a click (Gatus tells no number: the failing cards of its first page); `whole`: whether
    all data are there; `clicks`: from there to the list of failing ones, each selector as soon as
    it is there; `found`: how many of them, and nothing else, are listed.
    """

    row: str
    down: str
    whole: str
    clicks: tuple[str, ...]
    found: str
    path: str = ""


def view_of(tool: str, count: int) -> View:
    """The view of a tool with `count` monitors."""
    return {"portquorum": _ours(), "Gatus": _gatus(count), "Uptime Kuma": _kuma(count)}[tool]


def _ours() -> View:
    number = "document.querySelector('#counts [data-state=down] b')"
    return View(
        row="document.querySelector('[data-list=causes] tbody tr.wrong') !== null",
        down=f"+({number}?.textContent.replace(/\\D/g, '') ?? 0)",
        whole="document.querySelector('[data-list=causes] tbody tr.wrong') !== null",
        clicks=("#counts [data-state=down]",),
        found="location.pathname === '/targets' &&"
        " document.querySelectorAll('main tbody tr.s-down').length",
    )


def _gatus(count: int) -> View:
    badge = "[...document.querySelectorAll('.endpoint .destructive, .endpoint .bg-destructive')]"
    cards = "document.querySelectorAll('.endpoint').length"
    return View(
        row=f"{badge}.length > 0",
        down=f"{badge}.length",
        whole=f"{cards} >= {min(96, count)}",
        clicks=("label:has-text('Filter by') + div button", "[role=option]:has-text('Failing')"),
        found=f"{cards} === {badge}.length && {cards}",
    )


def _kuma(count: int) -> View:
    numbers = "[...document.querySelectorAll('.big-padding .num')].map(one => +one.textContent)"
    listed = "document.querySelectorAll('.monitor-list .childs .item').length"
    return View(
        row="document.querySelector('table .badge.bg-danger, .monitor-list .badge.bg-danger')"
        " !== null",
        down=f"({numbers})[1] ?? 0",
        whole=f"({numbers}).slice(0, 2).reduce((sum, one) => sum + one, 0) >= {count + TEAMS}",
        clicks=(
            ".filters-group button:has-text('Status')",
            ".dropdown-item:has(.bg-danger)",
            ".btn-collapse-all",
        ),
        found=listed,
        path="dashboard",
    )
