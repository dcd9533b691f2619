from portquorum.editing.differences import differences


def test_one_value_is_said_alone_and_several_with_their_counts() -> None:
    changes = [({"interval": was}, {"interval": "30s"}) for was in ("60s", "60s", "5m")]
    changes.append(({}, {"interval": "30s"}))
    before, after = differences(changes)
    assert before == {"interval": "60s (2), 5m (1), none (1)"}
    assert after == {"interval": "30s"}


def test_tags_are_said_as_added_and_removed_and_what_is_the_same_is_not_said() -> None:
    changes = [
        ({"tags": ["a", "b"], "host": "h"}, {"tags": ["b", "c"], "host": "h"}),
        ({"tags": ["a"], "host": "i"}, {"tags": ["c"], "host": "i"}),
    ]
    assert differences(changes) == ({"tags_removed": "a"}, {"tags_added": "c"})


def test_of_many_values_some_are_said_and_the_others_are_counted() -> None:
    before, _ = differences(({"port": n}, {"port": 1}) for n in range(2, 12))
    assert before["port"].endswith(" and 5 others")
