"""The name that was meant in place of one that there is not. Pure.

Silence is better than a wild guess: a name is suggested only if hardly anything else was meant.
"""

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MOST_NAMES: Final = 5_000
"""Of more names only those are looked at that differ in upper case, hyphens and the like alone."""

_MANY: Final = 100
_LONGEST: Final = 200
_ALIKE: Final = 0.75
_ALIKE_SHORT: Final = 0.6
"""Of words of at most four letters: one letter of three is wrong, missing or too many."""

_SHORT: Final = 4
_SWAPPED: Final = 0.5


def alike(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was meant by `word`, which is none of them; None if that is unclear.

    Names that differ in digits alone (`db-1`, `db-2`) are not taken for each other.
    """
    if not word or len(word) > _LONGEST:
        return None
    names = [one for one in known if one and one != word]
    wanted = _bare(word)
    same = [one for one in names if _bare(one) == wanted]
    if same or len(names) > MOST_NAMES:
        return same[0] if len(same) == 1 else None
    if len(names) > _MANY:  # a comparison takes 0.1 ms
        names = [one for one in names if _is_one_typo(wanted, _bare(one))][:_MANY]
    near = [one for one in names if _is_near(wanted, _bare(one))]
    best = sorted(near, key=lambda one: -_ratio(wanted, _bare(one)))[:2]
    if len(best) == 2 and _ratio(wanted, _bare(best[0])) == _ratio(wanted, _bare(best[1])):
        return None
    return best[0] if best else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'interval'?`, or nothing."""
    found = alike(word, known)
    return "" if found is None else f"; did you mean {found!r}?"


def _is_one_typo(word: str, other: str) -> bool:
    """True if two names differ in two characters that stand beside each other, or less."""
    shorter, longer = sorted((len(word), len(other)))
    if longer - shorter > 1 or longer < _SHORT:
        return False
    begin = 0
    while begin < shorter and word[begin] == other[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and word[-1 - end] == other[-1 - end]:
        end += 1
    return longer - begin - end <= 2


def _is_near(word: str, other: str) -> bool:
    if abs(len(word) - len(other)) > max(1, len(other) // 4) or _differ_in_digits(word, other):
        return False
    if len(word) <= _SHORT or len(other) <= _SHORT:
        if len(word) != len(other) and (word in other or other in word):
            return min(len(word), len(other)) > 2
        if word[:1] != other[:1]:
            return False
        is_swapped = sorted(word) == sorted(other)
        return _ratio(word, other) >= (_SWAPPED if is_swapped else _ALIKE_SHORT)
    return _ratio(word, other) >= _ALIKE


def _ratio(word: str, other: str) -> float:
    return difflib.SequenceMatcher(None, word, other).ratio()


@lru_cache(maxsize=10_000)
def _bare(word: str) -> str:
    """A name without what people confuse: upper case, hyphens, underscores, blanks."""
    return re.sub(r"[-_ .]", "", word.lower())


def _differ_in_digits(word: str, other: str) -> bool:
    without, without_other = (re.sub(r"[0-9]", "", one) for one in (word, other))
    return without == without_other and without != word
