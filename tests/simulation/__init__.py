"""A whole fleet in virtual time, and what was opened held against the ground truth.

Probers, a broker, the stream's worker and the world they look at, in one process, event by event,
all from one seed. The rules, their checkpoints, the schedule, the retry series, the batches, the
prober's clock and the wire formats are the real ones (`streams`, `producers`, `schemas`); what is
told again here is what is asynchronous in them: sockets, Kafka, timers.

`python -m tests.simulation --seed 7 --targets 40 --regions 5 --hours 24` prints a report; the exit
code is 1 if anything diverged.

What goes wrong is drawn before anything runs, so it is known: services, hosts and names that fail,
one region that cannot reach some targets, a region without a network (with and without references
by which its probers could know, with and without the broker), flapping, first attempts that fail
for nothing, probers that die and return, a broker that is away for 5 s to 5 min, wall clocks that
jump, workers that die and are restored from a checkpoint, messages that are appended twice, a
changing inventory.

What is held against it, for each target (`judge`) and region (`regions`):

**An incident MUST be open** at the latest when the rules promise it. A region *sees* a target fail
while the target fails for it and somebody in it has the target, a network and the broker. Where as
many regions as rule 5 may ask for see it fail from one moment on, without a break, until

- each of them has made its first scheduled check after that moment and its retries, or
- if the outage is new to one of them: that one has made its first failing check, and the others
  their rechecks with retries (11 s later if the host was rechecked just before; not those that may
  have been busy with another check of the target),

whichever is earlier, and the way of a result into the log (0.9 s at most here), and for
`open_after` beyond that: then the incident is open, or it was **missed**. Where it was open before,
and had improved, it has worsened by then: no open incident swallows an outage.

**An incident MAY be opened** for what fails for a shorter time, or from fewer regions at the same
moment: the last word of a region holds until its next check, so one that failed a minute ago and
one that fails now may be a quorum. Not every check of such an outage falls into it.

**Nothing else may be opened, or said**: each region that an event calls `down` failed the target
within the reach of its last word (an interval, a series and the way into the log; `2.5 × interval
+ timeout` of running time if nobody could check it again), for at least the time from the first to
the last attempt (0.8 × `retries` × `retry_delay`). Each that it calls `up` had not failed for so
long without a break that it must have said so; `stale` is none that could speak; the votes are
those of the regions. No incident opens before `open_after`. At most one is open for a target
(**doubled**).

**An incident MUST be closed** when every region sees the target succeed, without a break, until
each has made its scheduled check (or its recheck, where all recovered at once); other regions must
be out of the way: silent, with `up` as the last word, or for longer than `abandon_after`. A target
that is removed or moved has no incident.

**It MUST NOT be closed** while a region that can speak has only had failures to tell of for so long
that one was its last word, or while one that fell silent with `down` as its last word was not
waited for, or when no majority could have succeeded.

**Flapping**: the transitions at one place are counted as they were told (openings, improvements,
worsenings, recoveries of what had not improved); an opening that is more than the 6th within the
hour of running time, or than the 12th within 6 hours, is `flapping`, any other is not, and no
incident worsens as one of these; while it is open nothing else is, and it ends half an hour (at
most two hours) after the last transition.

**A region without beats for 15 s MUST be told as silent** by the first control record at which the
rules must look, but for those in the respite after a log that was silent.

**A worker restored** from a checkpoint decides the same, byte for byte, and its state is the same.

What is not judged: the words of the diagnosis; the moment of `updated`; slowness (no target has a
limit); whether what MAY be found was.
"""
