"""What `inventory apply` says that it did."""

from portquorum.cli.inventory import applied_words
from portquorum.inventory.publish import ApplyReport


def report(policy_set: int, policy_removed: int) -> ApplyReport:
    return ApplyReport(
        source="inv",
        at=1,
        added=(),
        changed=(),
        removed=(),
        republished=0,
        unchanged=3,
        policy_set=policy_set,
        policy_removed=policy_removed,
    )


def test_an_edit_of_a_route_alone_is_said() -> None:
    alone = applied_words(report(1, 2))
    assert "3 unchanged (source inv)" in alone
    assert alone.endswith("of regions, teams, routes and maintenance 1 written, 2 removed")
    assert "routes" not in applied_words(report(0, 0))
