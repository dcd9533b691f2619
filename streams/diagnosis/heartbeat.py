"""Diagnosis of a job that reports itself (rule 16)."""

from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts


def silence(known: Facts) -> Diagnosis:
    """The likely cause of what its failing region, that of the receivers, says."""
    target = known.target
    where = f"On {target.host}: " if target.host else "Where it runs: "
    logs = f"{where}journalctl --since '-1 day' (did it run, and how did it end?)"
    match known.reasons[0]:
        case "job_failed":
            return Diagnosis(
                "job_failed",
                "It ran and failed, by its exit code or its own word: its output and log say why.",
                (
                    logs,
                    "Read the last lines of its output, on its page",
                ),
            )
        case "job_overran":
            return Diagnosis(
                "job_overran",
                f"{target.name} began and did not end in time: it hangs or waits for something, "
                "it has more to do than it had, it was killed, or it could not report its end.",
                (
                    f"{where}ps -eo pid,etime,stat,args (does it still run?)",
                    f"{where}journalctl -k --since '-1 day' | grep -i 'out of memory'",
                    logs,
                ),
            )
        case _:
            return Diagnosis(
                "heartbeat_missed",
                f"No sign of life from {target.name} in time: it did not run, it failed, or it "
                "could not report.",
                (
                    f"{where}systemctl list-timers --all; crontab -l (is it still scheduled?)",
                    logs,
                    "Can it reach the address that it reports to?",
                ),
            )
