"""Whether a value fits into a column of ClickHouse."""

import re
from typing import Any, Final

_WHOLE: Final = {
    "UInt8": (0, 2**8 - 1),
    "UInt16": (0, 2**16 - 1),
    "UInt32": (0, 2**32 - 1),
    "UInt64": (0, 2**64 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "DateTime64(3, 'UTC')": (0, 10_413_791_999_999),  # 2299-12-31, ClickHouse's documentation
}


def fits(kind: str, value: Any) -> bool:
    """Whether the column type `kind` holds `value` as it is."""
    found = re.fullmatch(r"(Nullable|LowCardinality|Array|Map)\((.*)\)", kind)
    if found is not None:
        return _fits_within(found[1], found[2], value)
    if kind == "String":
        return isinstance(value, str) and value.encode().decode() == value
    if kind == "Bool":
        return isinstance(value, bool)
    if kind == "Float64":
        return isinstance(value, float | int) and abs(value) < 1e300
    least, most = _WHOLE[kind]
    return isinstance(value, int) and least <= value <= most


def _fits_within(outer: str, inner: str, value: Any) -> bool:
    if outer == "Nullable":
        return value is None or fits(inner, value)
    if outer == "LowCardinality":
        return fits(inner, value)
    if outer == "Array":
        return isinstance(value, list) and all(fits(inner, one) for one in value)
    key, _, other = inner.partition(", ")
    return all(fits(key, name) and fits(other, one) for name, one in value.items())
