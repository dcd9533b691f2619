"""The wing: files of the blackbox exporter and of Prometheus in, what is checked out."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from portquorum.importing.environment import MissingVariableError, expand
from portquorum.importing.model import Found, Ignored, Import, Options, Place, Unreadable
from portquorum.importing.prometheus import checks, jobs, policy
from portquorum.importing.prometheus.jobs import Job, NoProbe, Scrape
from portquorum.importing.prometheus.making import CannotError, Making
from portquorum.importing.prometheus.meaning import Meaning, meaning_of
from portquorum.importing.prometheus.modules import Module
from portquorum.importing.prometheus.own_modules import of_the_exporter
from portquorum.importing.prometheus.relabel import Labels
from portquorum.importing.prometheus.sources import Sources
from portquorum.importing.secrets import Secrets, looks_secret
from portquorum.importing.timing import fit

_DEFAULT_MODULE: Final = "http_2xx"
_TIMEOUT_OFFSET_S: Final = 0.5
"""What the exporter leaves of Prometheus' timeout for its answer (--timeout-offset)."""

_LONGEST_TAG: Final = 64
_TEAM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}")
_TEAM_LABELS: Final = ("team", "owner", "squad")
_PLACEHOLDER: Final = re.compile(r"__([A-Z][A-Z0-9_]*?)__")
_LOGIN: Final = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER: Final = re.compile(r"([?&][^=&]+=)([^&]*)")
_LIST_THEM: Final = (
    "who knows them is Prometheus: save what it answers to /api/v1/targets to a file, and "
    "name that one, too"
)


def read_prometheus(files: Sequence[Path], options: Options) -> Import:
    """Jobs of Prometheus, or objects of its operator, with the modules of `options.blackbox`."""
    return _read(files, options, Import(source="prometheus"))


def read_blackbox(files: Sequence[Path], options: Options) -> Import:
    """The modules of `blackbox.yml`, and the jobs that use them, in whatever file they are."""
    return _read(files, options, Import(source="blackbox"))


def _read(files: Sequence[Path], options: Options, found: Import) -> Import:
    sources = Sources([*options.blackbox, *files])
    sources.read()
    sources.finish()
    Reader(sources, options, found).all()
    found.ignored = list(dict.fromkeys(found.ignored))
    found.unreadable = list(dict.fromkeys(found.unreadable))
    return found


class Reader:
    """Makes entries of what was read."""

    def __init__(self, sources: Sources, options: Options, found: Import) -> None:
        self._sources = sources
        self._options = options
        self._found = found
        self._secrets = Secrets()
        self._own_modules = of_the_exporter() if not sources.modules else {}
        recorded = {one.name: one.tree for one in sources.recordings}
        self._meanings = [meaning_of(rule, recorded) for rule in sources.alerts]
        self._used_rules: set[int] = set()
        self._used_modules: set[str] = set()
        self._exporters: Counter[str] = Counter()

    def all(self) -> None:
        """Fills in the import."""
        found, sources = self._found, self._sources
        found.ignored += sources.ignored
        found.unreadable += sources.unreadable
        for job, _ in sources.jobs:
            self._job(job)
        _tell_apart(found.entries)
        found.secrets = self._secrets.found
        self._rules()
        self._modules()
        for entry in found.entries:
            for target in entry.targets:
                if target.get("team"):
                    found.teams.setdefault(target["team"], {})

    def _job(self, job: Job) -> None:
        before = len(self._found.entries)
        others: list[NoProbe] = []
        for one in jobs.scrapes(job, self._sources.timing):
            if isinstance(one, NoProbe):
                others.append(one)
            elif self._is_of_another(one):
                what = f"it asks the exporter {one.exporter}, which is not the blackbox exporter"
                others.append(NoProbe(jobs.Address(one.address, one.place), what))
            else:
                self._entry(job, one)
        for name in job.found_by:
            if jobs.asks_an_exporter(job) or name == "targets.ingress":
                why = f"its targets come from {name}: {_LIST_THEM}"
                self._found.entries.append(
                    Found(place=job.place, name=name, group=job.name, left_out=why)
                )
            else:
                what = f"Prometheus reads the metrics of what {name} finds itself"
                others.append(NoProbe(jobs.Address(name, job.place), what))
        made = len(self._found.entries) > before
        self._say(job, others, made=made)
        if made:
            self._found.ignored += job.ignored
        elif not others:
            why = "it has no targets"
            self._found.ignored.append(Ignored(job.place, f"job {job.name}", why))

    def _say(self, job: Job, others: list[NoProbe], *, made: bool) -> None:
        """Targets that are none of the blackbox exporter: one by one, or the job as a whole."""
        if others and not made and len({one.why for one in others}) == 1:
            one = others[0]
            self._found.ignored.append(Ignored(job.place, f"job {job.name}", one.why))
            return
        if others and not made:
            one, count = others[0], len(others)
            more = f" (and {count - 1} more like it)" if count > 1 else ""
            self._found.ignored.append(Ignored(job.place, f"job {job.name}", one.why + more))
            return
        for one in others:
            what = f"target {one.address.text[:80]} of the job {job.name}"
            self._found.ignored.append(Ignored(one.address.place, what, one.why))

    def _is_of_another(self, scrape: Scrape) -> bool:
        known = scrape.module in self._sources.modules or scrape.module in self._own_modules
        return not known and jobs.is_of_another_exporter(scrape)

    def _module(self, name: str) -> Module:
        wanted = name or _DEFAULT_MODULE
        found = self._sources.modules.get(wanted) or self._own_modules.get(wanted)
        if found is None:
            hint = (
                "name the exporter's file (--blackbox blackbox.yml)"
                if self._own_modules
                else "the exporter answers with an error there"
            )
            raise CannotError(f"its module {wanted!r} is in none of the files: {hint}")
        self._used_modules.add(wanted)
        return found

    def _entry(self, job: Job, scrape: Scrape) -> None:
        self._exporters[scrape.exporter] += 1
        instance = scrape.labels.get("instance", "")
        name = shown(instance if instance and instance != scrape.exporter else scrape.target)
        entry = Found(place=scrape.place, name=name, group=scrape.labels.get("job", "") or job.name)
        self._found.entries.append(entry)
        try:
            module = self._module(scrape.module)
            timeout_s = _timeout_s(module, scrape)
            entry.before = fit(interval_s=scrape.interval_s, timeout_s=timeout_s).before
            making = Making(module, self._secrets, scrape.place)
            target = self._expanded(scrape.target)
            made = checks.made(making, target, self._expanded(scrape.hostname))
        except CannotError as error:
            entry.left_out, entry.networked = str(error), error.networked
            return
        except ValueError as error:  # a variable without a value, or a text that is too long
            entry.left_out = str(error)
            return
        entry.differences += [*_assumed(module, scrape), *making.differences]
        self._with_policy(entry, scrape, made, (module.prober, timeout_s))

    def _with_policy(
        self, entry: Found, scrape: Scrape, made: dict[str, Any], asked: tuple[str, float]
    ) -> None:
        """`asked`: by which prober, and with how many seconds for an answer."""
        prober, timeout_s = asked

        def series(metric: str) -> Labels | None:
            return scrape.series(metric) if policy.exported(metric, prober) else None

        matched = policy.matched(self._meanings, series)
        self._used_rules |= {id(rule) for rule, _ in matched}
        found = policy.policy_of(
            made,
            matched,
            interval_s=scrape.interval_s,
            timeout_s=timeout_s,
            has_rules=bool(self._sources.alerts),
        )
        entry.before = found.before
        entry.differences += found.differences
        target = {"name": entry.name, **made, **found.fields}
        if found.probe:
            target["probe"] = {**made.get("probe", {}), **found.probe}
        tags = [*self._tags(entry, scrape), *found.fields.get("tags", ())]
        team = _team(scrape.labels) or found.fields.get("team", "")
        target.pop("tags", None)
        target.pop("team", None)
        if _TEAM.fullmatch(team):
            target["team"] = team
        if tags:
            target["tags"] = list(dict.fromkeys(tags))
        entry.targets = [target]

    def _tags(self, entry: Found, scrape: Scrape) -> Iterable[str]:
        """Labels as tags of the form `name:value`, save those that say what is checked."""
        instance = scrape.labels.get("instance", "")
        told = {scrape.target, scrape.address, instance, entry.name, entry.group, scrape.exporter}
        team = _team(scrape.labels)
        for name, value in sorted(scrape.labels.items()):
            if name == "instance" or (name in _TEAM_LABELS and value == team):
                continue
            tag = f"{name}:{value}"
            if value in told and name != "job":
                why = "it says again what is checked"
            elif len(tag) > _LONGEST_TAG:
                why = f"as a tag ({tag[:20]}…) it would be longer than {_LONGEST_TAG} characters"
            else:
                yield tag
                continue
            entry.ignored.append(Ignored(scrape.place, f"label {name}", why))

    def _expanded(self, text: str) -> str:
        """A target with the values of variables, also of those of the form `__NAME__`."""
        variables = self._options.variables

        def value(found: re.Match[str]) -> str:
            if not variables.get(found[1]):
                raise MissingVariableError(found[1])
            return variables[found[1]]

        return expand(_PLACEHOLDER.sub(value, text), variables, dollar_escape="")

    def _rules(self) -> None:
        for meaning in self._meanings:
            rule = meaning.rule
            what = f"alert {rule.name}"
            if not meaning.effects:
                self._found.ignored.append(Ignored(rule.place, what, meaning.why))
            elif id(rule) not in self._used_rules:
                why = "it is about no target of the files, by its labels and its metric"
                self._found.ignored.append(Ignored(rule.place, what, why))
            else:
                self._found.ignored += _covered(meaning)

    def _modules(self) -> None:
        for name, module in self._sources.modules.items():
            if name not in self._used_modules and not module.broken:
                why = "no job of the files uses it"
                self._found.ignored.append(Ignored(module.place, f"module {name}", why))
        if self._sources.modules and not self._sources.jobs:
            first = next(iter(self._sources.modules.values()))
            why = (
                "these are modules alone, which say how something is checked: what is checked "
                "stands in the jobs of Prometheus (prometheus.yml, or a Probe of its operator): "
                "name that file, too"
            )
            self._found.unreadable.append(Unreadable(Place(first.place.file), why))
        if len(self._exporters) > 1:
            place = self._found.entries[0].place
            named = ", ".join(sorted(self._exporters)[:5])
            why = "regions take their place: one prober where each of them stands (--region)"
            self._found.ignored.append(Ignored(place, f"the exporters {named}", why))


def _team(labels: Mapping[str, str]) -> str:
    """The team that a label names; empty without one."""
    found = (labels.get(name, "") for name in _TEAM_LABELS)
    return next((one for one in found if _TEAM.fullmatch(one)), "")


def _covered(meaning: Meaning) -> Iterable[Ignored]:
    for effect in meaning.effects:
        if effect.what == "covered":
            for note in effect.notes:
                yield Ignored(meaning.rule.place, f"alert {meaning.rule.name}", note)


def shown(text: str) -> str:
    """A target or URL as a name: without a login, and without secrets in its query."""
    plain = _LOGIN.sub("", text)
    return _PARAMETER.sub(lambda one: one[1] + "***" if looks_secret(one[1]) else one[0], plain)


def _timeout_s(module: Module, scrape: Scrape) -> float:
    """As the exporter reckons it (prober/handler.go, getTimeout)."""
    left = scrape.timeout_s - _TIMEOUT_OFFSET_S
    if 0 < module.timeout_s < left or left <= 0:
        return module.timeout_s or scrape.timeout_s
    return left


def _assumed(module: Module, scrape: Scrape) -> Iterable[str]:
    if module.assumed:
        yield (
            f"no file with modules was named (--blackbox): {module.name} is that of the "
            "exporter's own file"
        )
    if scrape.assumed:
        yield scrape.assumed


def _tell_apart(entries: Iterable[Found]) -> None:
    """Gives targets of one name that of their job, too: people see names alone.

    The job is no group then: it would be in the id twice. Its tag stays.
    """
    count = Counter(entry.name for entry in entries)
    for entry in entries:
        if count[entry.name] > 1 and entry.group:
            for target in entry.targets:
                target["name"] = f"{entry.name} ({entry.group})"
                target["tags"] = [entry.group, *target.get("tags", ())]
            entry.name, entry.group = f"{entry.name} ({entry.group})", ""
