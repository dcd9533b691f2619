"""A record that the rules can read and will not apply."""


class RefusedError(ValueError):
    """Applied, the record would leave the state outside its bounds; the text says which.

    It is raised before the first change of the state.
    """
