from portquorum.demo.rolelog import RoleLog
from portquorum.supervisor import Role, Stage


def test_a_line_that_is_no_record_is_kept_as_it_is() -> None:
    log = RoleLog(print)
    role = Role(name="stream", argv=(), stage=Stage.STREAM)
    deep = '{"event":' + "[" * 100_000
    for text in ("plain", deep, '{"event":"hello"}'):
        log.line(role, text)
    plain, nested, record = log.last(("stream",))["stream"]
    assert (plain, nested) == ("plain", deep)
    assert "hello" in record
