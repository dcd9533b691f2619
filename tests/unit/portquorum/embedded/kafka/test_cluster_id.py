from portquorum.embedded.kafka.broker import cluster_id


def test_no_cluster_id_looks_like_an_option() -> None:
    made = {cluster_id() for _ in range(2000)}  # one in 64 would begin with a dash
    assert len(made) == 2000
    assert {len(one) for one in made} == {22}
    assert not any(one.startswith("-") for one in made)
