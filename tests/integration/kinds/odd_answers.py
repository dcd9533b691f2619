"""Answers as servers send them that do not hold to RFC 9112, by what is odd in them.

With a reference where a monitor or a client was told of it: `kuma` is louislam/uptime-kuma.
"""

_TWO = b"Content-Length: 2"
_CHUNKED = b"Transfer-Encoding: chunked"


def ok(*fields: bytes, body: bytes = b"ok") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", body])


def chunked(body: bytes) -> bytes:
    return ok(_CHUNKED, body=body)


def with_status_line(line: bytes) -> bytes:
    return b"\r\n".join([line, _TWO, b"", b"ok"])


ANSWERS: dict[str, bytes] = {
    "plain": ok(_TWO),
    # kuma 23, 4899; spray 861
    "blank before colon": ok(b"X-Odd : 1", _TWO),
    "CL blank before colon": ok(b"Content-Length : 2"),
    "TE identity": ok(b"Transfer-Encoding: identity", _TWO),
    "TE identity nocl": ok(b"Transfer-Encoding: identity"),
    "empty name": ok(b": 1", _TWO),
    "no colon": ok(b"nothing", _TWO),
    "obs-fold": ok(b"A: b", b" c", _TWO),
    "first folded": ok(b" c", _TWO),
    # kuma 5972: "Missing expected CR after header value"
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare CR": b"HTTP/1.1 200 OK\rContent-Length: 2\r\rok",
    "no reason": with_status_line(b"HTTP/1.1 200"),
    "no reason blank": with_status_line(b"HTTP/1.1 200 "),
    "200OK": with_status_line(b"HTTP/1.1 200OK"),
    "1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
    # SHOUTcast
    "ICY": b"ICY 200 OK\r\nicy-name: x\r\n\r\nok",
    "extra blanks": with_status_line(b"HTTP/1.1  200  OK"),
    "tab": with_status_line(b"HTTP/1.1\t200\tOK"),
    "CL 2, 2": ok(b"Content-Length: 2, 2"),
    "CL 2 2": ok(b"Content-Length: 2 2"),
    "two CL equal": ok(_TWO, _TWO),
    "two CL": ok(_TWO, b"Content-Length: 1"),
    "CL +2": ok(b"Content-Length: +2"),
    "CL -2": ok(b"Content-Length: -2"),
    "CL empty": ok(b"Content-Length: "),
    "CL x": ok(b"Content-Length: x"),
    "CL 2x": ok(b"Content-Length: 2x"),
    "CL 0x2": ok(b"Content-Length: 0x2"),
    "CL huge": ok(b"Content-Length: " + b"9" * 5_000),
    "CL short": ok(b"Content-Length: 100"),
    "CL long body": ok(_TWO, body=b"okay"),
    "both": ok(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "chunked": chunked(b"2\r\nok\r\n0\r\n\r\n"),
    "chunk ext": chunked(b"2;a=b\r\nok\r\n0\r\n\r\n"),
    "chunk blanks": chunked(b"2  \r\nok\r\n0\r\n\r\n"),
    "chunk lead blank": chunked(b" 2\r\nok\r\n0\r\n\r\n"),
    "chunk 0x": chunked(b"0x2\r\nok\r\n0\r\n\r\n"),
    "chunk LF": chunked(b"2\nok\n0\n\n"),
    "chunk no crlf": chunked(b"2\r\nok0\r\n\r\n"),
    "chunk no end": chunked(b"2\r\nok\r\n"),
    "chunk 0 only": chunked(b"2\r\nok\r\n0\r\n"),
    "chunk cut": chunked(b"9\r\nok"),
    "chunk trailer": chunked(b"2\r\nok\r\n0\r\nA: b\r\n\r\n"),
    "chunk not hex": chunked(b"zz\r\nok"),
    "chunk not chunked": chunked(b"<html>ok"),
    "chunk huge": chunked(b"ffffffffffffffffffff\r\nok"),
    "TE CHUNKED": ok(b"Transfer-Encoding: Chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "TE twice chunked": ok(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"
    ),
    "TE chunked, chunked": ok(b"Transfer-Encoding: chunked, chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "TE identity, chunked": ok(
        b"Transfer-Encoding: identity, chunked", body=b"2\r\nok\r\n0\r\n\r\n"
    ),
    "TE gzip": ok(b"Transfer-Encoding: gzip"),
    # kuma 2475, 3816: "incorrect header check"
    "TE gzip, chunked": ok(b"Transfer-Encoding: gzip, chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "TE bogus": ok(b"Transfer-Encoding: bogus", _TWO),
    "TE empty": ok(b"Transfer-Encoding: ", _TWO),
    "1.0 chunked": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    # RFC 9112, section 2.2
    "leading CRLF": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "leading blank": with_status_line(b" HTTP/1.1 200 OK"),
    "NUL": ok(b"A: \x00b", _TWO),
    "NUL status": with_status_line(b"HTTP/1.1 200 \x00OK"),
    # kuma 5912: "Invalid header value char"
    "latin-1": b"HTTP/1.1 200 \xe9\r\nA: \xe9\xff\x01\r\nContent-Length: 2\r\n\r\nok",
    "name latin-1": ok(b"\xe9 (x): 1", _TWO),
    "bare CR value": ok(b"A: a\rb", _TWO),
    "CRCRLF": b"HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\r\n\r\r\nok",
    "60K header": ok(b"A: " + b"x" * 60_000, _TWO),
    "100K header": ok(b"A: " + b"x" * 100_000, _TWO),
    "100K headers": ok(*[b"A: bbbbbb"] * 10_000, _TWO),
    "290K headers": ok(*[b"A: bbbbbb"] * 26_000, _TWO),
    "400K headers": ok(*[b"A: bbbbbb"] * 40_000, _TWO),
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + ok(_TWO),
    "103": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok(_TWO),
    "100 with CL": b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + ok(_TWO),
    "100 alone": b"HTTP/1.1 100 Continue\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "101 upgrade": b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "204 body": b"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\nabcde",
    "304": b"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
    "999": with_status_line(b"HTTP/1.1 999 x"),
    "099": with_status_line(b"HTTP/1.1 099 x"),
    "000": with_status_line(b"HTTP/1.1 000 x"),
    "2000": with_status_line(b"HTTP/1.1 2000 x"),
    "20": with_status_line(b"HTTP/1.1 20 x"),
    "2x0": with_status_line(b"HTTP/1.1 2x0 x"),
    "close": ok(),
    "nothing": b"",
    "status line only": b"HTTP/1.1 200 OK\r\n",
    "status line no lf": b"HTTP/1.1 200 OK",
    "head not ended": b"HTTP/1.1 200 OK\r\nA: b\r\n",
    "head cut": b"HTTP/1.1 200 OK\r\nA: b",
    "h2 preface": bytes.fromhex("000012040000000000000300000064000400100000000600004000"),
    "HTTP/2 200": with_status_line(b"HTTP/2 200"),
    "HTTP/2 200 OK": with_status_line(b"HTTP/2 200 OK"),
    "HTTP/2.0 200": with_status_line(b"HTTP/2.0 200 OK"),
    "HTTP/3 200": with_status_line(b"HTTP/3 200 OK"),
    "HTTP/1.2": with_status_line(b"HTTP/1.2 200 OK"),
    "HTTP/9.9": with_status_line(b"HTTP/9.9 200 OK"),
    "HTTP/0.9": with_status_line(b"HTTP/0.9 200 OK"),
    "HTTP/1": with_status_line(b"HTTP/1 200 OK"),
    "HTTP 200": with_status_line(b"HTTP 200 OK"),
    "HTTP/1.10": with_status_line(b"HTTP/1.10 200 OK"),
    "http/1.1": with_status_line(b"http/1.1 200 OK"),
    "html": b"<html>hello</html>",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "smtp": b"220 mail ESMTP\r\n",
    "rtsp": b"RTSP/1.0 200 OK\r\n\r\n",
    "sip": b"SIP/2.0 400 Bad\r\n\r\n",
}
