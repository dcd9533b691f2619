# ruff: noqa: E501 (requests stand as they are sent)
"""Requests, as bytes, that try to confuse an HTTP server; seeds of `mutations`, too.

In them stand `<host>` and `<auth>` (the owner's headers) for what a run has; `<own>` and the like
as in `attacks`.
"""

import gzip
import zlib
from typing import Final


def post(body: bytes, *headers: str, target: str = "/", version: str = "1.1") -> bytes:
    """A POST with its Content-Length and the owner's headers."""
    lines = [f"POST {target} HTTP/{version}", "Host: <host>", "<auth>", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def get(target: str, *headers: str, method: str = "GET") -> bytes:
    """A request without a body, as the reader."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: <host>", *headers, "", ""]).encode()


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A POST in chunks."""
    head = b"POST / HTTP/1.1\r\nHost: <host>\r\n<auth>\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + end


def form(*parts: bytes, boundary: str = "b", content: str = "multipart/form-data") -> bytes:
    """A form."""
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return post(body, f"Content-Type: {content}; boundary={boundary}")


_FIELD: Final = b'Content-Disposition: form-data; name="query"\r\n\r\nSELECT 1'


def field(name: str, value: bytes) -> bytes:
    """A field of a form."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def external(structure: bytes, data: bytes, form_: bytes = b"TSV", name: str = "t") -> bytes:
    """A form with an external table, and a statement that shows it."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'.encode()
    described = field(f"{name}_structure", structure), field(f"{name}_format", form_)
    return form(head + data, *described, field("query", b"SELECT * FROM t"))


_SMUGGLED: Final = b"GET /?query=SELECT+2 HTTP/1.1\r\nHost: <host>\r\n\r\n"
_ZEROS: Final = b"SELECT '" + b"0" * (16 << 20) + b"'"

VALID: Final = (
    get("/ping"),
    get("/replicas_status"),
    get("/"),
    get("/?query=SELECT%201"),
    get("/?query=SELECT+number+FROM+numbers(100000)&default_format=JSON", "Accept-Encoding: gzip"),
    get("/?query=SELECT+1&enable_http_compression=1", "Accept-Encoding: zstd, gzip;q=0.5"),
    get("/?query=SELECT+{x:UInt8}&param_x=7"),
    get("/?query=SELECT+1&compress=1&wait_end_of_query=1"),
    get(
        "/?query=SELECT+1", "X-ClickHouse-Format: CSVWithNames", "X-ClickHouse-Database: portquorum"
    ),
    get("/?query=SELECT+1&session_id=mutant&session_timeout=5"),
    get("/?query=SELECT+1&query_id=mutant-1"),
    get("/?query=SELECT+1", method="HEAD"),
    external(b"a UInt8, b String", b"1\tx\n"),
    external(b"a Array(UInt8)", b'{"a": [1, 2]}', b"JSONEachRow"),
    post(b"SELECT 1"),
    post(b"SELECT * FROM mutants.t LIMIT 3 FORMAT JSONEachRow"),
    post(b"INSERT INTO mutants.t VALUES (1, 'a'), (2, 'b')"),
    post(b"INSERT INTO mutants.t FORMAT TSV\n3\tc\n"),
    post(b"4\td\n5\te\n", target="/?query=INSERT+INTO+mutants.t+FORMAT+TSV"),
    post(gzip.compress(b"SELECT 1", mtime=0), "Content-Encoding: gzip"),
    post(zlib.compress(b"SELECT 1"), "Content-Encoding: deflate"),
    post(b"SELECT count() FROM mutants.t", "Expect: 100-continue"),
    post(b"SELECT 1", version="1.0"),
    chunked(b"SELECT ", b"1"),
    chunked(b"INSERT INTO mutants.t VALUES ", b"(6, 'f')"),
    form(_FIELD),
    get("/ping") + get("/ping") + get("/?query=SELECT+1"),
)
"""What ordinary clients send; the owner's keys in those that have a body."""

HOSTILE: Final = (
    # Smuggling: two ways to say how long a body is, and ways to say it badly.
    b"POST / HTTP/1.1\r\nHost: <host>\r\n<auth>\r\nContent-Length: 8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED,
    b"POST / HTTP/1.1\r\nHost: <host>\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED,
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding:\tchunked\r\n\r\nffffffffffffffff\r\n",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 70_000,
    b"POST / HTTP/1.1\r\nHost: <host>\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nContent-Length: 99999999999999999999\r\n\r\nSELECT 1",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nContent-Length: 0x8\r\n\r\nSELECT 1",
    b"POST / HTTP/1.1\r\nHost: <host>\r\nContent-Length: +8\r\n\r\nSELECT 1",
    b"POST / HTTP/1.1\nHost: <host>\nContent-Length: 8\n\nSELECT 1",
    b"GET / HTTP/1.1\r\nHost: <host>\r\n folded: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nContent-Length: 60\r\n\r\n" + _SMUGGLED,
    chunked(b"SELECT 1", end=b"0\r\nX-ClickHouse-User: portquorum\r\nHost: x\r\n\r\n"),
    chunked(b"SELECT 1", end=b"0\r\n" + b"T: " + b"x" * 70_000 + b"\r\n\r\n"),
    chunked(*[b"x"] * 3_000),
    chunked(b"SELECT 1", end=b""),
    # Start lines and targets.
    b"GET http://<host>/?query=SELECT+1 HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET http://elsewhere.example/?query=SELECT+1 HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET file:///etc/passwd HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET //elsewhere.example/ping HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /ping%00.html HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: <host>\r\nX-Secret: x\r\n\r\n",
    b"PUT /?query=SELECT+1 HTTP/1.1\r\nHost: <host>\r\nContent-Length: 0\r\n\r\n",
    b"DELETE / HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: <host>\r\n\r\n",
    b"GET /\r\n\r\n",
    b"get / http/1.1\r\nhost: <host>\r\n\r\n",
    b"GET /?query=SELECT 1 HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /?" + b"a=b&" * 30_000 + b" HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /?" + b"%" * 5_000 + b" HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /" + b"a/" * 500_000 + b" HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /" + b"../" * 330_000 + b" HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"GET /?" + b"a&" * 500_000 + b" HTTP/1.1\r\nHost: <host>\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1_000,
    b"\r\n" * 5_000,
    # Headers.
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: " + b"1." * 400_000 + b"\r\n\r\n",
    post(b"abc", "Content-Type: multipart/form-data" + ";a=b" * 200_000),
    get("/?query=SELECT+1&enable_http_compression=1", "Accept-Encoding: " + "gzip;q=0," * 90_000),
    b"GET / HTTP/1.1\r\nHost: <host>\r\nX-ClickHouse-Key: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nX-ClickHouse-User: portquorum\r\nX-ClickHouse-Key: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nAuthorization: Basic \xff\xff\xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nAuthorization: Basic //79/g==\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nAuthorization: Bearer x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: <host>\r\nX\x00Y: z\r\n\r\n",
    get("/?query=SELECT+1", "X-ClickHouse-Query-Id: a\x0bb"),
    get("/?query=SELECT+1&query_id=a%0d%0aSet-Cookie:%20x=y"),
    get("/?query=SELECT+1&query_id=%ff%fe"),
    get("/?query=SELECT+1&session_timeout=" + "9" * 5_000 + "&session_id=x"),
    get("/?query=SELECT+1&session_id=" + "%00" * 300),
    get("/?query=SELECT+1&default_format=TSV%0d%0aX:%20y"),
    get("/?query=SELECT+1&database=%ff"),
    get("/?query=SELECT+1&max_threads=-1"),
    get("/?query=SELECT+1&param_=x&param_x"),
    get("/?query=SELECT+{x:UInt8}&param_x=%ff"),
    get("/?query=SELECT+%ff%fe%00"),
    get("/?query=" + "(" * 20_000),
    get("/?query=INSERT+INTO+mutants.t+VALUES+(1,'x')"),
    get("/?query=DROP+TABLE+mutants.t"),
    get("/?query=SELECT+1&user=portquorum&password=" + "x" * 100_000),
    get("/?query=SELECT+1&buffer_size=-1&wait_end_of_query=x&compress=x"),
    # Bodies: packed more than once, bombs, broken, with the wrong name.
    post(gzip.compress(_ZEROS, mtime=0), "Content-Encoding: gzip"),
    post(
        gzip.compress(gzip.compress(b"SELECT 1", mtime=0), mtime=0), "Content-Encoding: gzip, gzip"
    ),
    post(b"SELECT 1", "Content-Encoding: gzip"),
    post(b"SELECT 1", "Content-Encoding: br"),
    post(b"SELECT 1", "Content-Encoding: identity, identity"),
    post(b"SELECT 1", "Content-Encoding: " + "gzip," * 1_000),
    post(gzip.compress(b"SELECT 1", mtime=0)[:-4], "Content-Encoding: gzip"),
    post(b"\x00" * 64, target="/?decompress=1"),
    post(b"\xff" * 64, target="/?decompress=1"),
    post(b"\x04\x22\x4d\x18" + b"\xff" * 64, "Content-Encoding: lz4"),
    post(b"\x28\xb5\x2f\xfd" + b"\xff" * 64, "Content-Encoding: zstd"),
    post(b"INSERT INTO t (" + b"'\\" * 16_000),
    post(b"INSERT INTO t (" + b"'\\" * 500_000),
    post(b"'\\" * 500_000),
    post(b"/*" * 500_000),
    post(b"$a$" * 300_000),
    post(b"SELECT " + b"(" * 100_000),
    post(b"SELECT " + b"[" * 1_000 + b"]" * 1_000),
    post(b"SELECT 1" + b"+1" * 100_000),
    post(b"SELECT '" + b"\xff" * 1_000 + b"'"),
    post(b"SELECT \x00 1"),
    post(b"\x00"),
    post(b""),
    post(b"SELECT 1" + b" " * 2_000_000),
    post(b"INSERT INTO mutants.t FORMAT Native\n" + b"\xff" * 200),
    post(b"INSERT INTO mutants.t FORMAT Parquet\nPAR1" + b"\xff" * 200),
    post(b"INSERT INTO mutants.t FORMAT Avro\nObj\x01" + b"\xff" * 200),
    post(b"INSERT INTO mutants.t FORMAT MsgPack\n" + b"\xdd\xff\xff\xff\xff" * 20),
    post(b"INSERT INTO mutants.t FORMAT RowBinaryWithNamesAndTypes\n" + b"\xff" * 200),
    post(b"INSERT INTO mutants.t FORMAT NoSuchFormat\n1"),
    # Forms.
    form(_FIELD, content="multipart/form-data; charset=utf-7"),
    form(_FIELD, boundary=""),
    form(_FIELD, boundary="x" * 5_000),
    form(_FIELD, boundary="\u2028"),
    post(b"--b\r\n" + _FIELD + b"\r\n--b--", "Content-Type: multipart/form-data"),
    form(b'Content-Disposition: form-data; name="f"; filename="../../x"\r\n\r\n1'),
    external(b"a String DEFAULT file('/etc/passwd')", b"1\n"),
    external(b"a String) ENGINE = File(TSV, '/etc/passwd') --", b""),
    external(b"a String) AS SELECT file('/etc/passwd') --", b""),
    external(b"a String", b"(file('/etc/passwd'))", b"Values"),
    external(b"a String", b"/etc/passwd", b"Template SETTINGS format_template_row = '/etc/passwd'"),
    external(b"a String", b"1\n", name="../../t"),
    external(b"a String", b"1\n", name="system.t"),
    external(b"a UInt8", b"\x01" * 200, b"Native"),
    external(b"a String", b"\xff" * 2_000, b"RowBinary"),
    external(b"a FixedString(256)", b"1\n" * 1_000_000),
    external(b"a " + b"Array(" * 5_000 + b"UInt8" + b")" * 5_000, b"[]\n"),
    external(b",".join(b"c%d UInt8" % number for number in range(5_000)), b"1\n"),
    external(b"a UInt8", b"1\n" * 8_000_000),
    form(b"Content-Disposition: form-data\r\n\r\nSELECT 1"),
    form(b'Content-Disposition: form-data; name="query"\r\nContent-Encoding: gzip\r\n\r\nxx'),
    form(
        b'Content-Disposition: form-data; name="query"\r\nContent-Transfer-Encoding: base64\r\n\r\n!'
    ),
    form(b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--"),
    form(*[b'Content-Disposition: form-data; name="a"\r\n\r\nx'] * 2_000),
    form(b'Content-Disposition: form-data; name="query"\r\n\r\n' + b"x" * 2_000_000),
    form(b"X: " + b"y" * 100_000 + b"\r\n\r\nx"),
    post(b"--b", "Content-Type: multipart/form-data; boundary=b"),
    post(b"query=SELECT+1", "Content-Type: application/x-www-form-urlencoded"),
)
