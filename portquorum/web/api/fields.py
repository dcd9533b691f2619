"""The parameter `fields`: only some fields of each row, so that a program reads what it needs."""

from collections.abc import Sequence
from typing import Annotated, Final, TypeVar, cast

import msgspec
from litestar import Response
from msgspec import Meta, Struct

from portquorum.web.api.answering import answered
from portquorum.web.api.parameters import many
from portquorum.web.problem import wrong_field

T = TypeVar("T", bound=Struct)

_NAME_CHARS: Final = 64
Fields = Annotated[
    list[Annotated[str, Meta(max_length=1000)]] | None,
    many("fields", "Only these fields of each row; also apart by commas."),
]


def chosen(fields: Sequence[str] | None, row: type[Struct]) -> tuple[str, ...]:
    """The fields of a row that a query chooses, each once, in its order; all if it names none.

    Raises:
        ProblemError: the row has no such field.
    """
    there = row.__struct_fields__
    names = dict.fromkeys(name for one in fields or () for name in one.split(",") if name)
    for name in names:
        if name not in there:
            raise wrong_field(
                "fields",
                f"no such field: {name[:_NAME_CHARS]!r}; there are {', '.join(there)}",
            )
    return tuple(names) or there


def answered_rows(value: T, rows: str, names: Sequence[str]) -> Response[T]:
    """An answer whose field `rows` is a list of rows, of which only `names` are wanted."""
    whole = answered(value)
    found = getattr(value, rows)
    if not found or len(names) == len(found[0].__struct_fields__):
        return whole
    content = msgspec.to_builtins(value)
    content[rows] = [{name: one[name] for name in names} for one in content[rows]]
    return Response(cast("T", content), media_type="application/json", headers=dict(whole.headers))
