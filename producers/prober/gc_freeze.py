"""Excludes long-lived objects from garbage collection (`gc.freeze`)."""

import gc


class GcFreeze:
    """Freezes the targets in the garbage collector when they no longer change.

    A full collection visits all objects and stops all checks: 20 to 80 ms with 50,000 targets,
    again and again. Reference counting still frees frozen objects. Only reference cycles that are
    already garbage would stay for ever: those of the last seconds are collected first.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._frozen = 0

    def look(self, changes: int) -> None:
        """To be called every few seconds with the number of changes of the targets so far."""
        settled = changes == self._seen
        self._seen = changes
        if settled and changes != self._frozen:
            self._frozen = changes
            gc.collect(1)
            gc.freeze()
