"""The kinds of checks that take more than a TCP handshake, one file a kind.

A kind is an async function `check(context)` and an entry in `producers.kinds.registry.KINDS`
(`producers.kinds.kind.Kind`: the function, the default port, the Struct of its options).

- `context` is a `producers.kinds.check_context.CheckContext`. It has the target, the vantage and
  the deadline. It looks names up, asks the address policy about each address, connects, and
  stores what was measured (`dns_ms`, `address`, `connect_ms`, `tls_ms`, `banner`,
  `cert_expires_at`, `http_status`).
- The function returns when the target is up, and raises `producers.checks.errors.CheckFailedError`
  (reason, detail) when it is down. The result has what was measured until then in both cases.
- It needs no timeouts of its own: it is cancelled at the deadline. `context.silence` (the reason)
  and `context.waiting_for` (words), which it sets as it goes on, say what the silence means, and
  `context.came` (a function) what has come until then.
- `context.verdict(job)` (`producers.judging.jobs`) judges data of the server that may take long to
  read, in a process that can be killed. An exception that comes of such data is `CheckFailedError`
  with a reason of the target, never `prober_error`.
- `context.connect()` gives a `Connection` with bounded reads; its method `secure` turns it into
  TLS.
- Options: a Struct in `schemas.probe`, part of the union `Probe` there; `Kind.settle` checks what a
  user wrote and resolves its defaults. Its ValueError says what was expected and found.

A kind that is only a dialogue (send, expect, STARTTLS) is data: see `producers.kinds.dialogue`.

The modules here are loaded when a check of such a kind is made, or an inventory read.
"""
