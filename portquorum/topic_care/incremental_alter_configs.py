"""The request IncrementalAlterConfigs (KIP-339), which aiokafka (0.14) does not have.

Its own AlterConfigs sets what is not named back to the default.
"""

from collections.abc import Mapping

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

_SET = 0


class IncrementalAlterConfigsResponse(Response):  # type: ignore[misc]
    """For each resource: error code, its text, resource type, name."""

    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class IncrementalAlterConfigsStruct(RequestStruct):  # type: ignore[misc]
    """Version 0 of the request."""

    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = IncrementalAlterConfigsResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(
                        ("name", String("utf-8")),
                        ("config_operation", Int8),
                        ("value", String("utf-8")),
                    ),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class IncrementalAlterConfigs(Request[IncrementalAlterConfigsStruct]):  # type: ignore[misc]
    """Sets settings of topics; what is not named stays as it is.

    The answer has one error code for each topic; a topic is changed as a whole or not at all.
    """

    API_KEY = 44

    def __init__(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        self._entries = [
            (
                int(ConfigResourceType.TOPIC),
                name,
                [(setting, _SET, value) for setting, value in settings.items()],
            )
            for name, settings in wanted.items()
        ]

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        """The request in the version that was negotiated."""
        return request_struct_class(self._entries, False)
