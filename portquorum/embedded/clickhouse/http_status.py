"""The HTTP status of a ClickHouse error code, from the server's own table.

Source: ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; the numbers are those of
src/Common/ErrorCodes.cpp.
"""

from typing import Final

_CODES: Final[dict[int, tuple[int, ...]]] = {
    # What the statement or its data got wrong: syntax, arguments, values that can't be parsed.
    400: (
        *(6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321),
        *(376, 427, 441, 675, 676),
    ),
    401: (194,),  # REQUIRED_PASSWORD
    403: (192, 193, 497, 512, 516),  # unknown user, wrong password, access denied
    # Unknown table, function, identifier, type, database, setting, format, …
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),  # TIMEOUT_EXCEEDED
    411: (381,),  # HTTP_LENGTH_REQUIRED
    413: (229,),  # QUERY_IS_TOO_LARGE
    415: (779,),  # UNSUPPORTED_MEDIA_TYPE
    501: (48,),  # NOT_IMPLEMENTED
    503: (76, 209, 439),  # CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
}
_STATUS: Final = {code: status for status, codes in _CODES.items() for code in codes}


def of(code: int) -> int:
    """The status; 500 for a code without an own one (for example READONLY)."""
    return _STATUS.get(code, 500)
