"""The kinds of checks that take more than a TCP handshake, one file a kind.

What a kind is: an async function `check(trial)` and an entry in `producers.kinds.registry.KINDS`
(`producers.kinds.kind.Kind`: the function, the default port, the Struct of its options).

- `trial` (`producers.kinds.trial.Trial`) has the target, the vantage and the deadline, looks names
  up, asks the guard about each address, connects, and takes down what was measured
  (`dns_ms`, `address`, `connect_ms`, `tls_ms`, `banner`, `cert_expires_at`, `http_status`).
- It returns when the target is up, and raises `producers.outcome.CheckFailedError` (reason, detail)
  when it is down. What was measured until then is told in both cases.
- It needs no timeouts of its own: at the deadline it is cancelled. What that silence means is
  `trial.silence` (reason) and `trial.waiting_for` (words), which it sets as it goes on.
- What a server has sent and what may take long to read is judged by `trial.verdict(job)`
  (`producers.judging.jobs`), in a process that can be ended. An exception that comes of such data
  is `CheckFailedError` with a reason of the target's, never `prober_error`.
- `trial.connect()` gives a `Stream` with bounded reads, which `stream.secure(…)` turns into TLS.
- Options: a Struct in `schemas.probe`, part of the union `Probe` there; `Kind.settle` checks what a
  user wrote and resolves its defaults. A raised ValueError says what was expected and found.

A kind that is only a dialogue (send, expect, STARTTLS) is data: see `producers.kinds.dialogue`.

The modules here are loaded when a check of such a kind is made, or an inventory read.
"""
