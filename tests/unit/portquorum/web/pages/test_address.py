from portquorum.web.pages.address import Address

HERE = Address("/targets", (("state", "down"), ("q", "a b&c"), ("team", ""), ("cursor", "x")))


def test_a_filter_is_added_or_taken_away_and_the_list_begins_anew() -> None:
    assert HERE.toggled("state", "slow") == "/targets?state=down&q=a+b%26c&team=&state=slow"
    assert HERE.toggled("state", "down") == "/targets?q=a+b%26c&team="
    assert HERE.toggled("team", "") == "/targets?state=down&q=a+b%26c"
    assert Address("/targets", (("state", "down"),)).toggled("state", "down") == "/targets"


def test_one_value_in_place_of_all() -> None:
    assert HERE.replaced("state", "up") == "/targets?q=a+b%26c&team=&state=up"
    assert HERE.replaced("q", "") == "/targets?state=down&team="


def test_another_place_or_path_of_the_same_question() -> None:
    assert HERE.at("y&z") == "/targets?state=down&q=a+b%26c&team=&cursor=y%26z"
    assert HERE.with_path("/targets.csv").startswith("/targets.csv?state=down&")
    assert HERE.beginning() == "/targets?state=down&q=a+b%26c&team="
