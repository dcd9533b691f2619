"""The HTTP status of a ClickHouse error code, as the server's `exceptionCodeToHTTPStatus` has it."""

from typing import Final

_CODES: Final[dict[int, tuple[int, ...]]] = {
    # CANNOT_PARSE_*, SYNTAX_ERROR, INCORRECT_DATA, TYPE_MISMATCH, bad AST, bad parameter
    400: (6, 25, 26, 27, 38, 41, 53, 62, 69, 72, 117, 130, 131, 167, 168, 223, 224, 271, 457, 620),
    401: (194,),  # REQUIRED_PASSWORD
    403: (192, 193, 516, 164, 497),  # unknown user, wrong password, READONLY, ACCESS_DENIED
    # UNKNOWN_TABLE, _FUNCTION, _IDENTIFIER, _TYPE, _STORAGE, _DATABASE, _SETTING, …
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 99, 115, 139, 282, 344),
    408: (159,),  # TIMEOUT_EXCEEDED
    411: (381,),  # HTTP_LENGTH_REQUIRED
    413: (307,),  # QUERY_IS_TOO_LARGE
    501: (48,),  # NOT_IMPLEMENTED
    503: (209, 76),  # SOCKET_TIMEOUT, CANNOT_OPEN_FILE
}
_STATUS: Final = {code: status for status, codes in _CODES.items() for code in codes}


def of(code: int) -> int:
    """The status; 500 for every code that has none of its own."""
    return _STATUS.get(code, 500)
