"""Why there is no answer, in a sentence that people read."""


class HistoryUnavailableError(Exception):
    """ClickHouse does not answer. The text is one sentence; `since` (UTC ms) is the first failure.

    Everything that is not history is as good as ever.
    """

    def __init__(self, sentence: str, since: int) -> None:
        super().__init__(sentence)
        self.since = since


class HistoryTooSlowError(Exception):
    """This question takes longer than it may, or too many wait. ClickHouse is not away.

    The text is one sentence.
    """


class UnknownCursorError(ValueError):
    """A cursor that this program did not make. The text is one sentence."""
