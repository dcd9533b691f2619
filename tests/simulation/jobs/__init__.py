"""Jobs that report themselves, in virtual time, held against what they truly did (rule 16).

A cron daemon for each zone (a clock that is read minute by minute, as Debian's does), jobs that are
well, late, left out, failing, too long or killed, their pings with retries, three receivers that
are killed, one broker, and the stream's worker with its checkpoints; all from one seed.

What is held against it:

- **Nothing is called missed that was reported**, or that could not be reported: of each `missed`
  the report truly did not come by its deadline, of each `overran` the run truly had not ended, of
  each `failed` the failure was delivered. So no job is blamed for receivers that were away, or for
  a log that was silent.
- **What was missed, failed or overran is told** in time, unless the receivers were away around it.
- **A success that was delivered closes** what is open.
- **A time in which all receivers are away is one `region.silent`**, and one `region.returned`.
- **A worker restored** from a checkpoint, and the whole log once more, decide the same bytes.
"""
