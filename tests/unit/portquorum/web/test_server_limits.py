import resource

import pytest

from portquorum.web.server import MOST_CONNECTIONS, connections_limit


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "expected"),
    [
        (20_000, 20_000, None, MOST_CONNECTIONS),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, MOST_CONNECTIONS),
        (1024, 524_288, 1200, MOST_CONNECTIONS),
        (256, resource.RLIM_INFINITY, 1200, MOST_CONNECTIONS),
        (256, 512, 512, 312),
        (100, 100, 100, 1),
    ],
)
def test_connections_fit_into_the_limit_of_open_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, expected: int
) -> None:
    set_: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_.append(limits[0]))
    assert connections_limit() == expected
    assert set_ == ([] if raised is None else [raised])
