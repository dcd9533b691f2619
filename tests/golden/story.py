"""What happens in the recorded log, told in the order of its time.

1. `long_before`: a day and a half in which usual times are learned, while the broker is away
   between the rounds; then the times of one target rise.
2. `first_half` and `second_half`: every kind of trouble, by hand, around the checkpoint.
3. `simulated`: an hour of `tests.simulation`, with the real schedule and batches of a prober.
4. `jobs`: what reports itself, and receivers that are away.
5. `newer`: what 0.2 added (`tests.golden.newer`).
6. `ending`: incidents of each type that stay open.
"""

from msgspec.structs import replace

from portquorum.inventory import plan as plans
from schemas import control
from schemas.control import Acknowledged, Resolved, TargetRemoved, TargetSet, Tick
from schemas.result import Reason
from tests.golden import documents, junk
from tests.golden.newer import newer
from tests.golden.probing import REGIONS, Probing
from tests.golden.receiving import JOBS, Receiving
from tests.golden.stage import PARTITIONS, Stage, home
from tests.simulation.scenario import START, Scenario
from tests.simulation.simulation import Simulation
from tests.simulation.stillness import Headers

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

BEGIN = START - 34 * HOUR_MS - 45 * MINUTE_MS

SCENARIO = Scenario(
    seed=12,
    targets=24,
    regions=3,
    probers=1,
    partitions=PARTITIONS,
    hours=0.75,
    outages=1.0,
    hosts=0.3,
    regional=0.6,
    losses=0.8,
    deaths=0.8,
    pauses=1.5,
    changes=4.0,
    steps=1.0,
    storms=0.1,
    blips=0.002,
    duplicates=0.01,
    calm_ms=200_000,
)


class Story:
    """The story as it is told; `stage.topics` has what was written."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.probing = Probing(stage, seed)
        self.document = documents.first()

    # What is told in one word

    def fails(self, target_id: str, reason: Reason, *regions: str) -> None:
        for region in regions or (*REGIONS, "region-3"):
            self.probing.found[target_id, region] = reason

    def takes(self, target_id: str, connect_ms: float, *regions: str) -> None:
        for region in regions or (*REGIONS, "region-3"):
            self.probing.found[target_id, region] = connect_ms

    def heals(self, *target_ids: str) -> None:
        for key in [key for key in self.probing.found if key[0] in target_ids]:
            del self.probing.found[key]

    def run(self, seconds: int) -> None:
        self.probing.run(seconds)

    def apply(self, name: str, document: documents.Document) -> None:
        self.document = document
        self.stage.apply(document, name)
        self.probing.look()

    def acknowledge(self, target_id: str, incident_id: str, note: str | None = None) -> None:
        self._by_hand(Acknowledged(target=target_id, incident_id=incident_id, by="ines", note=note))

    def resolve(self, target_id: str, incident_id: str, note: str | None = None) -> None:
        self._by_hand(Resolved(target=target_id, incident_id=incident_id, by="tom", note=note))

    def _by_hand(self, record: Acknowledged | Resolved) -> None:
        self.stage.control(home(self.stage.targets()[record.target]), record)

    # The parts

    def long_before(self) -> None:
        stage, probing = self.stage, self.probing
        probing.begin(*REGIONS)
        # Beats before any target, as of probers that were started first.
        probing.clock_offsets = dict.fromkeys(REGIONS)
        self.run(10)
        probing.clock_offsets = {}
        self.apply("first", self.document)
        stage.apply(documents.OTHER, "other-source", source="other")
        probing.look()
        self.run(150)
        # Nobody but the slow ones is checked, once in ten minutes; the broker is away meanwhile.
        learned = ("slow-usual", "slow-rising", "slow-accepted")
        for number in range(33 * 6):
            stage.now += 10 * MINUTE_MS - 700 + probing.rng.randrange(1400)
            for region in REGIONS:
                probing.beat(region)
            probing.stage.requests.clear()
            hours = max(0.0, number / 6 - 26)
            rising = 50 * 2 ** (hours / 4)
            for region in REGIONS:
                probing.publish(
                    probing.result(
                        name,
                        region,
                        round(
                            (rising if name == "slow-rising" else 20)
                            * probing.rng.uniform(1, 1.04),
                            3,
                        ),
                    )
                    for name in learned
                )
        probing.forget()
        probing.look()

    def first_half(self) -> None:
        """Ends where the checkpoint is taken."""
        stage, probing = self.stage, self.probing
        for name in ("slow-usual", "slow-accepted"):
            self.takes(name, 20.5)
        self.takes("slow-rising", 200.0)
        self.run(100)
        self._reasons()
        self._by_hands()
        self._one_region_after_another()
        for _ in range(4):
            for name in ("flap-up", "flap-down"):
                self.fails(name, "connection_refused")
            self.run(50)
            self.heals("flap-up", "flap-down")
            self.run(50)
        self.fails("flap-down", "connection_reset")
        self._slow()
        self._inventory()
        self._odd_messages()
        # The checkpoint is taken with as much under way as there can be: a silent region, a suspect
        # one that nobody has looked at since, failures that are no outage yet, news of a host that
        # its incident has not told yet, waiting rechecks.
        self.fails("region-alone", "timed_out")
        self.fails("judge-fraction", "timed_out", "region-1")
        self.fails("hand-seen", "connection_reset")
        self.fails("why-unexpected-response", "unexpected_response")
        self.takes("slow-limit", 400.0)
        self.takes("duo-slow", 400.0)
        self.fails("duo-db", "connection_refused")
        probing.quiet.add("region-2")
        self.run(130)
        self.acknowledge("hand-seen", stage.open_id("hand-seen"), "again?")
        self.resolve("why-unexpected-response", stage.open_id("why-unexpected-response"))
        stage.now += 1_000
        probing.beat("region-0")
        stage.now += 150
        for name in ("region-0", "region-1", "region-3"):
            probing.publish([probing.result("duo-web", name, "connection_reset")])
        for kind in ("ssh", "ftp", "http"):
            failed = probing.result(f"many-{kind}", "region-0", "connection_reset")
            probing.publish([failed])
            stage.now += 20
        early = probing.result("region-pair", "region-0", 8.25)
        probing.publish([replace(early, started_at=stage.now + 2_500)])
        for name in ("region-0", "region-1"):
            probing.publish(
                probing.result("why-tls-failed", name, "tls_failed", attempt=attempt)
                for attempt in (0, 1)
            )
            stage.now += 20
        probing.claims["region-1"] = (60, 40, 35)
        probing.beat("region-1")
        stage.requests.clear()

    def second_half(self) -> None:
        stage, probing = self.stage, self.probing
        probing.quiet.clear()
        self.run(30)
        probing.claims["region-1"] = (60, 5, 0)
        self.heals("region-alone", "judge-fraction", "why-unexpected-response", "slow-limit")
        self.heals("hand-seen", "duo-db", "duo-slow")
        self.run(20)
        probing.claims.clear()
        self._gaps()
        self._spooled()
        self._abandoned()
        self.apply(
            "returns",
            documents.changed(
                {**self.document, "targets": [*self.document["targets"], *self._new()]},
                without=("change-name",),
                slow_unlimited={"latency": None},
                change_region_added={"regions": list(REGIONS)},
            ),
        )
        # Nobody has checked the new port beside it yet.
        self._by_hand(
            Acknowledged(
                target="stays-down", incident_id=stage.open_id("stays-down"), by="a second person"
            )
        )
        self.run(60)
        # Nothing but time: the flapping ones are quiet for half an hour.
        self.run(20 * 60)
        self.heals("change-kind", "change-host", "change-port", "change-eager", "change-strict")
        self.run(200)

    def simulated(self) -> None:
        stage = self.stage
        stage.now = START

        def also(partition: int, append_time: int, value: bytes, headers: Headers) -> None:
            stage.now = max(stage.now, append_time)
            stage.append(partition, value, headers)
            body = control.body(headers)
            record = None if body is None else control.decode(body)
            if isinstance(record, TargetSet):
                raw = plans.encode(record.target)
                stage.put("targets", partition, record.target.id.encode(), raw)
            elif isinstance(record, TargetRemoved):
                stage.put("targets", partition, record.target.encode(), None)

        Simulation(SCENARIO, also=also).run()
        stage.requests.clear()

    def jobs(self) -> None:
        """Missed, failed, too long, flapping, well; nobody listens, and the log is silent."""
        stage, receiving = self.stage, Receiving(self.probing)
        stage.now += 20_000
        receiving.beat()
        stage.apply(documents.JOBS, "jobs", source="jobs")
        self.probing.look(())
        for name in JOBS:
            receiving.says(name, "success", exit_code=0, total_ms=1_234.5)
        receiving.says("job-missed", "log", output="half of it is done")
        self._runs(receiving)
        # Nobody listens for a while, then the log is silent; one job truly stops meanwhile.
        receiving.away = True
        receiving.run(120)
        receiving.away = False
        self._minutes(receiving, 4)
        stage.now += 3 * MINUTE_MS
        self._minutes(receiving, 8)
        receiving.says("job-missed", "success")
        self._minutes(receiving, 3)
        self.resolve("job-missed", stage.open_id("job-missed"), "by hand")
        self._minutes(receiving, 3)
        self.acknowledge("job-failed", stage.open_id("job-failed"), "known")

    def _minutes(self, receiving: Receiving, minutes: int) -> None:
        """In which two jobs are well."""
        for _ in range(minutes):
            receiving.run(60)
            for name in ("job-well", "job-nightly"):
                receiving.says(name, "success")

    def _runs(self, receiving: Receiving) -> None:
        for run in ("a", "b"):
            receiving.says("job-long", "start", run=run)
            receiving.run(5)
        failed = receiving.says("job-failed", "fail", exit_code=3, output="disk full", run="x")
        self.probing.publish([failed])
        self._minutes(receiving, 2)
        receiving.says("job-long", "success", run="b")
        for _ in range(4):
            receiving.says("job-flaps", "fail", exit_code=1)
            receiving.run(10)
            receiving.says("job-flaps", "success", exit_code=0)
            receiving.run(10)
        # Forged, and too late.
        receiving.says("job-well", "fail", region="region-0")
        receiving.says("job-well", "fail", started_at=self.stage.now - 31_000)
        receiving.says("job-long", "start", run="c")

    def newer(self) -> None:
        newer(self.stage, self.probing)

    def ending(self) -> None:
        stage, probing = self.stage, self.probing
        stage.now += 20_000
        probing.forget()
        probing.look()
        self.heals(*(one["id"] for one in self.document["targets"]))
        self.fails("stays-down", "timed_out")
        self.run(90)
        for _ in range(4):
            self.fails("flap-open", "connection_refused")
            self.run(50)
            self.heals("flap-open")
            self.run(50)
        self.fails("flap-open", "timed_out")
        self.takes("slow-open", 900.0)
        self.fails("duo-db", "connection_refused")
        self.fails("hand-seen", "dns_failed")
        for kind, _ in documents.MANY:
            self.fails(f"many-{kind}", "host_unreachable")
        self.run(150)
        self.acknowledge("hand-seen", stage.open_id("hand-seen"), "a colleague is on it")
        self.run(20)

    # Parts of the halves

    def _reasons(self) -> None:
        for reason in documents.COUNTED:
            self.fails(f"why-{reason.replace('_', '-')}", reason)
        for kind, _ in documents.MANY:
            self.fails(f"many-{kind}", "timed_out")
        self.fails("word-v6", "network_unreachable")
        self.fails("word-idn", "certificate_expired", "region-0", "region-1")
        self.fails("word-dialogue", "address_blocked")
        self.fails("duo-web", "timed_out")
        self.fails("stays-down", "host_unreachable")
        self.fails("other-team", "prober_error", "region-0")
        self.run(150)
        for reason in documents.COUNTED:
            self.heals(f"why-{reason.replace('_', '-')}")
        for kind, _ in documents.MANY:
            self.heals(f"many-{kind}")
        self.fails("duo-web", "connection_refused")
        self.fails("duo-db", "connection_refused", "region-0", "region-1")
        self.run(130)
        self.heals("word-v6", "word-idn", "word-dialogue", "duo-web", "duo-db", "other-team")
        self.run(60)

    def _by_hands(self) -> None:
        stage = self.stage
        self.fails("hand-seen", "connection_reset")
        self.fails("hand-resolved", "too_many_connections")
        self.run(100)
        self.acknowledge("hand-seen", stage.open_id("hand-seen"), "looking at it")
        self.acknowledge("hand-seen", stage.open_id("hand-seen"))
        self.acknowledge("hand-seen", "00000000-0000-5000-8000-000000000000")
        self.resolve("hand-resolved", stage.open_id("hand-resolved"), "known, wont fix")
        stage.control(0, Acknowledged(target="nobody", incident_id="x", by="ines"))
        stage.control(1, Resolved(target="nobody", incident_id="x", by="ines"))
        self.run(70)
        self.heals("hand-seen", "hand-resolved")
        self.run(80)
        self.fails("hand-resolved", "too_many_connections")

    def _one_region_after_another(self) -> None:
        self.fails("judge-unanimous", "timed_out", "region-0", "region-1")
        self.fails("judge-fraction", "timed_out", "region-2")
        self.fails("judge-after", "connection_refused")
        self.fails("region-pair", "timed_out", "region-0")
        self.run(20)
        self.heals("judge-after")
        self.run(60)
        self.fails("judge-unanimous", "connection_refused", "region-2")
        self.fails("judge-after", "connection_refused")
        self.fails("region-pair", "timed_out", "region-2")
        self.run(100)
        self.fails("judge-unanimous", "connection_reset", "region-1")
        self.heals("judge-after")
        self.run(70)
        for region in REGIONS:
            self.probing.found.pop(("judge-unanimous", region), None)
            self.run(40)
        self.heals("judge-fraction", "region-pair")
        self.run(60)

    def _slow(self) -> None:
        self.takes("slow-limit", 312.0, "region-0", "region-1")
        self.takes("slow-usual", 180.0)
        self.takes("slow-accepted", 120.0)
        self.takes("slow-removed", 400.0)
        self.takes("slow-unlimited", 260.0)
        self.run(140)
        self.takes("slow-limit", 333.0)
        self.resolve("slow-accepted", self.stage.open_id("slow-accepted", "slow"))
        self.acknowledge("slow-limit", self.stage.open_id("slow-limit", "slow"))
        self.run(60)
        self.fails("slow-usual", "timed_out")
        self.run(80)
        self.heals("slow-limit")
        self.takes("slow-usual", 21.0)
        self.run(120)

    def _inventory(self) -> None:
        """The rows of the table of docs/rules.md, each with an open incident."""
        names = [one["id"] for one in self.document["targets"] if one["id"].startswith("change-")]
        for name in names:
            if name not in {"change-eager", "change-region-taken"}:
                self.fails(name, "connection_refused", "region-0", "region-1")
        self.fails("change-eager", "connection_refused", "region-1")
        self.fails("change-region-taken", "timed_out", "region-1", "region-2")
        self.takes("slow-removed", 400.0)
        self.run(110)
        document = documents.changed(
            self.document,
            without=("change-removed", "change-returns", "slow-removed"),
            change_kind={"kind": "http"},
            change_host={"host": self._host_elsewhere("change-host")},
            change_port={"port": 5433},
            change_name={"name": "Another name", "team": "platform", "tags": ["renamed"]},
            change_strict={"consensus": "unanimous", "retries": 2},
            change_eager={"consensus": 0.3},
            change_region_added={"regions": [*REGIONS, "region-3"]},
            change_region_taken={"regions": ["region-0", "region-1"]},
            why_timed_out={"interval": "30s", "tags": ["seldom"], "criticality": "normal"},
        )
        document["regions"] = {**document["regions"], "region-3": None}
        del document["routes"]["rest"]
        document["routes"]["warnings"] = {
            "urls": ["json://${GOLDEN_HOOK}/warnings"],
            "severities": ["warning"],
        }
        document["maintenance"] = document["maintenance"][:1]
        self.probing.begin("region-3")
        self.apply("changes", document)
        self.run(60)
        # A definition that is older than the known one, and one that is the same.
        known = self.stage.targets()["change-port"]
        self.stage.control(home(known), TargetSet(known))
        late = TargetRemoved(target="change-port", version=known.version - 1)
        self.stage.control(home(known), late)
        self.probing.found.pop(("change-region-taken", "region-1"), None)
        self.fails("change-region-taken", "timed_out", "region-2")
        self.run(30)

    def _host_elsewhere(self, target_id: str) -> str:
        known = self.stage.targets()[target_id]
        for number in range(100):
            host = f"moved{number}.example.com"
            if home(known) != junk.home_of(host):
                return host
        raise LookupError("no host lies in another partition")

    def _new(self) -> list[documents.Document]:
        late = documents.target("late-neighbour", "stays-down.example.com", 9000)
        return [documents.target("change-returns"), late]

    def _odd_messages(self) -> None:
        stage, probing = self.stage, self.probing
        for message in junk.messages(probing):
            stage.now += 3
            stage.append(*message)
        # Duplicated messages: whole ones, of every partition, results and control records.
        for log in stage.topics["results"]:
            for one in [*log[-40:-20]]:
                stage.now += 1
                stage.append(one.partition, one.value, one.headers, one.key)
        self.run(5)
        self.stage.everywhere(Tick("another worker"))
        again = probing.result("why-timed-out", "region-0", 12.5, cause="manual")
        probing.publish([again, again])
        self.run(5)

    def _gaps(self) -> None:
        stage, probing = self.stage, self.probing
        self.fails("change-eager", "timed_out")
        self.run(50)
        stage.now += 9_000
        self.run(40)
        stage.now += 45_000
        self.run(40)
        stage.now += 4 * MINUTE_MS
        self.run(30)
        probing.clock_offsets["region-0"] = 7_400
        self.run(10)
        probing.clock_offsets["region-0"] = -6_000
        self.run(10)
        probing.clock_offsets.clear()
        probing.beat("region-0", "region-0-2", connectivity=False, spool=120, clock_offset_ms=None)
        # All regions are silent; the worker's ticks alone move the clock.
        probing.quiet.update((*REGIONS, "region-3"))
        self.run(60)
        probing.quiet.clear()
        self.run(20)

    def _spooled(self) -> None:
        probing = self.probing
        probing.spooling["region-2"] = []
        self.fails("slow-open", "timed_out", "region-2")
        self.run(150)
        values = probing.drain("region-2")
        self.heals("slow-open")
        self.run(5)
        for partition, value in enumerate(values):
            self.stage.append(partition, value)
        self.run(60)

    def _abandoned(self) -> None:
        probing = self.probing
        self.fails("judge-abandoned", "timed_out")
        self.run(90)
        probing.quiet.add("region-1")
        self.heals("judge-abandoned")
        self.fails("judge-abandoned", "timed_out", "region-1")
        self.run(300)
        # The port beside it is watched by the silent region alone: nobody knows how it is.
        self.acknowledge("stays-down", self.stage.open_id("stays-down"))
        probing.quiet.clear()
        self.heals("judge-abandoned")
        self.run(60)


__all__ = ["BEGIN", "SCENARIO", "Story"]
