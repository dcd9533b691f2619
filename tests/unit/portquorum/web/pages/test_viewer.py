import pytest

from portquorum.web.pages.viewer import THEME_COOKIE, ZONE_COOKIE, Viewer, iso, viewer_of

NOW = 1_792_289_021_000  # 2026-10-18 02:03:41 UTC
BERLIN = Viewer(now=NOW, zone_name="Europe/Berlin")


def test_times_are_local_with_utc_beside() -> None:
    assert BERLIN.clock(NOW) == "04:03:41 CEST"
    assert BERLIN.both(NOW) == "2026-10-18 04:03:41 CEST (2026-10-18 02:03:41 UTC)"
    assert BERLIN.moment(NOW - 86_400_000) == "17 Oct 04:03"
    assert BERLIN.moment(NOW - 400 * 86_400_000) == "13 Sep 2025 04:03"
    assert BERLIN.utc(NOW) == "(02:03 UTC)"
    assert Viewer(now=NOW).both(NOW) == "2026-10-18 02:03:41 UTC"
    assert iso(NOW) == "2026-10-18T02:03:41Z"


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (-5_000, "0 s"),
        (999, "0 s"),
        (119_999, "119 s"),
        (240_000, "4 min"),
        (7_500_000, "2 h 5 min"),
    ],
)
def test_ages_are_whole(ago: int, shown: str) -> None:
    assert BERLIN.ago(NOW - ago) == shown


@pytest.mark.parametrize("at", [-(2**62), 0, 2**53, 2**62])
def test_any_number_is_some_time(at: int) -> None:
    assert BERLIN.both(at)
    assert BERLIN.moment(at)
    assert iso(at).endswith("Z")


@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Europe%2FBerlin", "Europe/Berlin"),
        ("Mars/Olympus", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("/etc/passwd", "UTC"),
        ("a" * 10_000, "UTC"),
        ("Europe", "UTC"),
        ("\0", "UTC"),
        ("", "UTC"),
    ],
)
def test_a_zone_that_is_none_is_utc(zone: str, known: str) -> None:
    assert viewer_of({ZONE_COOKIE: zone}, NOW, "/").zone_name == known


def test_a_theme_that_is_none_is_that_of_the_system() -> None:
    assert viewer_of({THEME_COOKIE: "dark"}, NOW, "/").theme == "dark"
    assert viewer_of({THEME_COOKIE: '"><script>'}, NOW, "/").theme == "auto"
