import msgspec
import pytest
from hypothesis import given

from schemas import control
from schemas.control import Control
from tests.unit.schemas.strategies import controls


@given(controls)
def test_a_record_comes_back_from_its_headers(record: Control) -> None:
    body = control.body(control.headers(record))
    assert body is not None
    assert control.decode(body) == record


def test_other_headers_are_no_control_record() -> None:
    assert control.body([("traceparent", b"00-0-0-01")]) is None
    assert control.body([]) is None
    assert control.body([("other", b"1"), (control.HEADER, b"{}")]) == b"{}"


def test_an_unknown_record_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        control.decode(b'{"control":"nonsense"}')
