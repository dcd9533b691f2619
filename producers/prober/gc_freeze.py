"""Keeps Python's garbage collector away from what stays."""

import gc


class GcFreeze:
    """Takes what is watched out of garbage collection, once it stays as it is.

    A full collection looks at everything there is and stops all checks meanwhile: 20 to 80 ms with
    50,000 targets, and again and again. What is frozen is freed as before when nothing refers to it
    any more. Only what was already garbage and refers to itself stays: what of the last seconds
    does is collected first.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._frozen = 0

    def look(self, changes: int) -> None:
        """To be called every few seconds with how often what is watched has changed so far."""
        settled = changes == self._seen
        self._seen = changes
        if settled and changes != self._frozen:
            self._frozen = changes
            gc.collect(1)
            gc.freeze()
