"""What aiokafka (0.14) has no request for, or only one at a time: users, rights, a setting.

Field by field as in Kafka's message definitions (clients/src/main/resources/common/message).
"""

from collections.abc import Sequence

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

_TEXT = String("utf-8")
_COMPACT = CompactString("utf-8")

RightEntry = tuple[int, str, int, str, str, int, int]
"""Resource type, name, pattern type, principal, host, operation, permission."""

_RIGHT = (
    ("resource_type", Int8),
    ("resource_name", _TEXT),
    ("pattern_type", Int8),
    ("principal", _TEXT),
    ("host", _TEXT),
    ("operation", Int8),
    ("permission_type", Int8),
)


class _CreateAclsResponse(Response):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("results", Array(("error_code", Int16), ("error", _TEXT)))
    )


class _CreateAclsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _CreateAclsResponse
    SCHEMA = Schema(("creations", Array(*_RIGHT)))


class CreateAcls(Request[_CreateAclsStruct]):  # type: ignore[misc]
    """Grants rights."""

    API_KEY = 30

    def __init__(self, entries: Sequence[RightEntry]) -> None:
        self._entries = list(entries)

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return request_struct_class(self._entries)


class _DeleteAclsResponse(Response):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16),
                ("error", _TEXT),
                ("matching", Array(("error_code", Int16), ("error", _TEXT), *_RIGHT)),
            ),
        ),
    )


class _DeleteAclsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    RESPONSE_TYPE = _DeleteAclsResponse
    SCHEMA = Schema(("filters", Array(*_RIGHT)))


class DeleteAcls(Request[_DeleteAclsStruct]):  # type: ignore[misc]
    """Takes rights away."""

    API_KEY = 31

    def __init__(self, entries: Sequence[RightEntry]) -> None:
        self._entries = list(entries)

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return request_struct_class(self._entries)


class _AlterUserResponse(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", _COMPACT),
                ("error_code", Int16),
                ("error", _COMPACT),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUserStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _AlterUserResponse
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", _COMPACT), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", _COMPACT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUser(Request[_AlterUserStruct]):  # type: ignore[misc]
    """A user's password, for SCRAM-SHA-512 (mechanism 2)."""

    API_KEY = 51

    def __init__(self, name: str, iterations: int, salt: bytes, salted: bytes) -> None:
        self._upsertion = (name, 2, iterations, salt, salted, {})

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return request_struct_class([], [self._upsertion], {})


class _AlterConfigsResponse(Response):  # type: ignore[misc]
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16), ("error", _TEXT), ("resource_type", Int8), ("name", _TEXT)
            ),
        ),
    )


class _AlterConfigsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = _AlterConfigsResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("name", _TEXT),
                ("configs", Array(("name", _TEXT), ("operation", Int8), ("value", _TEXT))),
            ),
        ),
        ("validate_only", Int8),
    )


class SetBrokerConfig(Request[_AlterConfigsStruct]):  # type: ignore[misc]
    """A setting of one running broker (resource type 4)."""

    API_KEY = 44

    def __init__(self, broker: int, name: str, value: str) -> None:
        self._resource = (4, str(broker), [(name, 0, value)])

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return request_struct_class([self._resource], 0)
