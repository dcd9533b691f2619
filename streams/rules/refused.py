"""The error for a readable record that the rules refuse."""


class RecordRefusedError(ValueError):
    """The record would move the state out of its bounds; the text says which.

    Raised before the first change of the state.
    """
