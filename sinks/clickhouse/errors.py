"""Why a block was not finished; each ends in reading the offsets again."""


class DoubtError(RuntimeError):
    """What this sink knows of a partition may be old; nothing was inserted."""


class NotInsertedError(RuntimeError):
    """ClickHouse did not confirm an insert; it may or may not have landed."""
