import pytest

from tests.unit.portquorum.supervisor.children import Heard


@pytest.fixture
def heard() -> Heard:
    return Heard()
