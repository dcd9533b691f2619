from portquorum.web.fleet.freshness import AWAY_MS, STOPPED_MS, Senses

START = 1_000_000_000_000


def seeing() -> Senses:
    senses = Senses()
    senses.tick(START)
    senses.loaded(START + 10)
    senses.kafka_answered(START + 10, stream_at=START, log_at=START + 5)
    return senses


def test_before_the_topics_are_read_it_is_blind() -> None:
    senses = Senses()
    senses.tick(START)
    assert senses.blind() == (START, "starting")
    senses.loaded(START + 10)
    assert senses.blind() is None


def test_a_stream_that_goes_on_is_seen_up_to_the_newest_record() -> None:
    senses = seeing()
    assert senses.blind() is None
    assert senses.data_at() == START + 5


def test_a_stream_that_stops_blinds_from_its_last_progress_on() -> None:
    senses = seeing()
    last = START + 20_000
    senses.kafka_answered(last, stream_at=last - 1_000, log_at=last)
    for after in range(0, 45_000, 5_000):
        senses.tick(last + after)
        senses.kafka_answered(last + after, stream_at=last - 1_000, log_at=last + after)
    assert senses.blind() == (last - 1_000, "stream_stopped")
    assert senses.data_at() == last - 1_000
    senses.kafka_answered(last + 50_000, stream_at=last + 49_000, log_at=last + 50_000)
    assert senses.blind() is None


def test_a_stream_that_never_ran_blinds_after_the_time_of_a_checkpoint() -> None:
    senses = Senses()
    senses.tick(START)
    senses.loaded(START)
    senses.kafka_answered(START, stream_at=None, log_at=None)
    assert senses.blind() is None
    senses.tick(START + STOPPED_MS)
    senses.kafka_answered(START + STOPPED_MS, stream_at=None, log_at=None)
    assert senses.blind() is None
    senses.tick(START + STOPPED_MS + 1)
    senses.kafka_answered(START + STOPPED_MS + 1, stream_at=None, log_at=None)
    assert senses.blind() == (START, "stream_stopped")


def test_a_kafka_that_fails_blinds_since_its_last_answer() -> None:
    senses = seeing()
    senses.kafka_failed(START + 4_000)
    assert senses.blind() == (START + 10, "kafka_away")
    senses.kafka_answered(START + 6_000, stream_at=START + 5_000, log_at=START + 5_000)
    assert senses.blind() is None


def test_why_kafka_fails_is_kept_until_it_answers() -> None:
    senses = seeing()
    senses.kafka_failed(START + 4_000)
    before = senses.version
    senses.kafka_told("it refuses connections")
    assert (senses.kafka_trouble, senses.version) == ("it refuses connections", before + 1)
    senses.kafka_answered(START + 6_000, stream_at=START + 5_000, log_at=START + 5_000)
    assert senses.kafka_trouble is None


def test_a_kafka_that_nobody_hears_from_blinds_too() -> None:
    senses = seeing()
    senses.tick(START + 10 + AWAY_MS + 1)
    assert senses.blind() == (START + 10, "kafka_away")


def test_the_history_is_away_since_it_last_answered() -> None:
    senses = seeing()
    senses.history_answered(START)
    senses.history_failed(START + 15_000)
    senses.history_failed(START + 30_000)
    assert senses.history_away_since == START
    senses.history_answered(START + 45_000)
    assert senses.history_away_since is None


def test_the_version_grows_when_sight_changes_and_only_then() -> None:
    senses = seeing()
    version = senses.version
    senses.tick(START + 1_000)
    assert senses.version == version
    senses.kafka_failed(START + 2_000)
    assert senses.version == version + 1


def test_a_kafka_that_never_answered_is_away() -> None:
    senses = Senses()
    senses.tick(START)
    senses.tick(START + AWAY_MS + 1)
    assert senses.blind() == (START, "kafka_away")
    senses.kafka_answered(START + 20_000, stream_at=None, log_at=None)
    assert senses.blind() == (START, "starting")


def test_no_age_is_less_than_zero() -> None:
    senses = seeing()
    senses.kafka_answered(START + 2_000, stream_at=START + 2_000, log_at=START + 2_500)
    assert senses.data_at() == START + 2_000
