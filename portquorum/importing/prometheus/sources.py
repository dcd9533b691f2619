"""All files of an import, sorted by what they hold: modules, jobs, rules, lists of targets."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from portquorum.importing.model import Ignored, Place, Unreadable
from portquorum.importing.prometheus import binary, jobs, kubernetes, nearby, rules
from portquorum.importing.prometheus.jobs import Address, Job, Timing
from portquorum.importing.prometheus.modules import Module, is_modules, module_of
from portquorum.importing.prometheus.rules import AlertRule, Recording
from portquorum.importing.source_yaml import (
    Fields,
    WrongValueError,
    documents_of,
    file_text,
)
from portquorum.inventory import tree

_PROMETHEUS: Final = frozenset({"scrape_configs", "scrape_config_files", "rule_files", "global"})
_OTHER_SECTIONS: Final = {
    "alerting": "where Prometheus sends alerts: routes here, see `portquorum import alertmanager`",
    "remote_write": "it is about Prometheus' own data",
    "remote_read": "it is about Prometheus' own data",
    "storage": "it is about Prometheus' own data",
    "tracing": "it is about Prometheus itself",
    "otlp": "it is about Prometheus' own data",
    "runtime": "it is about Prometheus itself",
}
_NOT_KNOWN: Final = (
    "it has neither modules of the blackbox exporter nor jobs, rules or targets of Prometheus"
)
_ELSEWHERE: Final = "it is in another folder, or not there: name the file itself"
_MOST_FILES: Final = 1_000


class Sources:
    """What was read: the named files, those of named folders, and those that these lead to."""

    def __init__(self, named: Sequence[Path]) -> None:
        self.modules: dict[str, Module] = {}
        self.jobs: list[tuple[Job, Path]] = []
        self.alerts: list[AlertRule] = []
        self.recordings: list[Recording] = []
        self.ignored: list[Ignored] = []
        self.unreadable: list[Unreadable] = []
        self.timing = Timing()
        self._folders = [one for one in named if one.is_dir()]
        self._named = tuple(file for one in named for file in nearby.files_of(one))
        self._read: set[Path] = set()
        self._lists: dict[Path, list[Address]] = {}
        self._asked: set[Path] = set()
        self._held: dict[Path, set[str]] = {}
        self._elsewhere: list[tuple[str, Place, str]] = []
        self._has_global = False

    def read(self) -> None:
        """Reads all of them."""
        for folder in self._folders:
            if not any(file.is_relative_to(folder) for file in self._named):
                why = "it has no file with .json, .rules, .yaml, .yml"
                self.unreadable.append(Unreadable(Place(str(folder)), why))
        for file in self._named:
            self._file(file)

    def finish(self) -> None:
        """Puts the targets of files into their jobs, and says which of these nobody asked for."""
        self.jobs = [(self._with_files(job, base), base) for job, base in self.jobs]
        for file, addresses in self._lists.items():
            if file not in self._asked and addresses:
                why = "it is a list of targets, and no job of the files takes it (file_sd_configs)"
                self.unreadable.append(Unreadable(Place(str(file)), why))
        for pattern, place, name in self._elsewhere:
            wanted = [one for one in self._named if name in self._held.get(one, ())]
            if not nearby.named(pattern, wanted):
                self.ignored.append(Ignored(place, f"{name} {pattern}", _ELSEWHERE))
        if not self._has_global:
            why = "no `global:` was among the files, so that the interval is Prometheus' default"
            self.timing = Timing(self.timing.interval_s, self.timing.timeout_s, assumed=why)

    def _file(self, file: Path) -> None:
        resolved = file.resolve()
        if resolved in self._read or len(self._read) >= _MOST_FILES:
            return
        self._read.add(resolved)
        text = file_text(file)
        if isinstance(text, Unreadable):
            self.unreadable.append(text)
            return
        self._text(text, file, 0)

    def _text(self, text: str, file: Path, line: int) -> None:
        roots, unreadable = documents_of(binary.with_marks(text), str(file), line)
        self.unreadable += unreadable
        for root in roots:
            self._value(root.value, file)

    def _value(self, value: Any, file: Path) -> None:
        try:
            known = self._sorted(value, file)
        except WrongValueError as error:
            self.unreadable.append(Unreadable(error.place, str(error)))
            return
        if not known:
            line = getattr(value, "line", 0)
            place = Place(str(file), line)
            if any(file.is_relative_to(folder) for folder in self._folders):
                self.ignored.append(Ignored(place, "a file", _NOT_KNOWN))
            else:
                self.unreadable.append(Unreadable(place, _NOT_KNOWN))

    def _sorted(self, value: Any, file: Path) -> bool:
        """Takes in one value of a file by what it holds; whether it is known."""
        if isinstance(value, tree.Sequence):
            return self._list(value, file)
        if not isinstance(value, tree.Mapping):
            return False
        written = Fields(value, str(file))
        if "apiVersion" in value and "kind" in value:
            self._object(written, file)
        elif is_modules(value.get("modules")):
            self._modules(written)
        elif isinstance(value.get("modules"), Mapping):
            why = "its modules are none of the blackbox exporter (they name no prober)"
            self.ignored.append(Ignored(written.place("modules"), "modules", why))
        elif _PROMETHEUS & value.keys() or _OTHER_SECTIONS.keys() & value.keys():
            self._prometheus(written, file)
        elif isinstance(value.get("groups"), Sequence):
            self._held.setdefault(file, set()).add("rule_files")
            self._rules(written.children("groups"))
        elif isinstance(value.get("data"), Mapping) and "activeTargets" in value["data"]:
            self._active(written.child("data"))
        else:
            return self._embedded(value, file)
        return True

    def _list(self, value: tree.Sequence, file: Path) -> bool:
        items = [one for one in value if isinstance(one, tree.Mapping)]
        if not items or len(items) < len(value):
            return False
        fields = [Fields(one, str(file)) for one in items]
        if all("targets" in one for one in items):
            found = self._lists.setdefault(file.resolve(), [])
            found += jobs.addresses(fields)
            return True
        if all("job_name" in one for one in items):
            self._jobs(fields, file)
            return True
        known = [self._sorted(one, file) for one in items]  # all of them are taken in
        return all(known)

    def _modules(self, written: Fields) -> None:
        section = written.child("modules")
        for name in section.value:
            inner = section.child(str(name))
            module = module_of(str(name), Fields(inner.value, inner.file, f"module {name}"))
            if name in self.modules:
                why = "a module of this name was read before, which holds"
                self.ignored.append(Ignored(inner.place(), f"module {name}", why))
                continue
            self.modules[str(name)] = module
            self.ignored += module.ignored
            if module.broken:
                self.unreadable.append(Unreadable(module.place, f"module {name}: {module.broken}"))

    def _prometheus(self, written: Fields, file: Path) -> None:
        general = written.child("global")
        if general.value:
            self._has_global = True
            self.timing = jobs_timing(general, self.unreadable)
            for name in ("evaluation_interval", "rule_query_offset"):
                general.skip(name, "rules are looked at with each result here")
            general.skip("external_labels", "they are put on what Prometheus sends to others")
        elif "scrape_configs" in written and "scrape_config_files" not in written:
            # A file of scrape_config_files has nothing else, and the global of its main file.
            self._has_global = self._has_global or len(written.value) > 1
        if "scrape_configs" in written:
            self._held.setdefault(file, set()).add("scrape_config_files")
        self._jobs(written.children("scrape_configs"), file)
        for name, why in _OTHER_SECTIONS.items():
            written.skip(name, why)
        for name in ("rule_files", "scrape_config_files"):
            for pattern in written.listed(name):
                self._led_to(str(pattern), file, written.place(name), name)
        self.ignored += written.unused()

    def _led_to(self, pattern: str, file: Path, place: Place, name: str) -> None:
        found = nearby.inside(pattern, file.parent) if nearby.is_inside(pattern) else ()
        for one in found:
            self._file(one)
        if not found:
            self._elsewhere.append((pattern, place, name))

    def _jobs(self, written: Iterable[Fields], file: Path) -> None:
        for one in written:
            try:
                self.jobs.append((jobs.job_of(one), file.parent))
            except ValueError as error:
                wrong = jobs.wrong_job(one, error)
                self.unreadable.append(Unreadable(wrong.place, f"{wrong.what}: {wrong.why}"))

    def _rules(self, groups: list[Fields]) -> None:
        for one in rules.rules_of(groups):
            if isinstance(one, AlertRule):
                self.alerts.append(one)
            elif isinstance(one, Recording):
                self.recordings.append(one)
            else:
                self.unreadable.append(Unreadable(one.place, f"{one.what}: {one.why}"))

    def _active(self, data: Fields) -> None:
        """The answer of Prometheus' API to /api/v1/targets."""
        for one in data.children("activeTargets"):
            try:
                self.jobs.append((kubernetes.job_of_active(one), Path()))
            except ValueError as error:
                self.unreadable.append(Unreadable(one.place(), str(error)))

    def _object(self, written: Fields, file: Path) -> None:
        """One object of Kubernetes."""
        kind = written.text("kind")
        if kind.endswith("List") or kind == "List":
            for one in written.listed("items"):
                self._value(one, file)
            return
        try:
            found = kubernetes.read(written)
        except ValueError as error:
            place = error.place if isinstance(error, WrongValueError) else written.place()
            self.unreadable.append(Unreadable(place, f"{kind}: {error}"))
            return
        if found is None:
            if not self._embedded(written.value, file):
                why = "it says nothing of what is checked"
                self.ignored.append(Ignored(written.place("kind"), f"kind {kind}", why))
            return
        self.jobs += [(job, file.parent) for job in found.jobs]
        self._rules(found.groups)
        self.ignored += found.ignored
        if found.timing is not None:
            self._has_global, self.timing = True, found.timing

    def _embedded(self, value: Mapping[str, Any], file: Path) -> bool:
        """Looks for configurations within values of Helm and ConfigMaps; whether there are any."""
        found = False
        for place in kubernetes.embedded(Fields(value, str(file))):
            found = True
            if place.text is not None:
                self._text(place.text, file, place.line)
            elif place.ignored is not None:
                self.ignored.append(place.ignored)
            elif place.groups:
                self._rules(place.groups)
            elif place.jobs:
                self.jobs += [(job, file.parent) for job in place.jobs]
            elif place.scrape_configs:
                self._jobs(place.scrape_configs, file)
            elif place.document is not None:
                self._value(place.document, file)
        return found

    def _with_files(self, job: Job, base: Path) -> Job:
        """The job with the targets of its `file_sd_configs`."""
        addresses = list(job.targets)
        for pattern in job.files:
            found = nearby.inside(pattern, base) if nearby.is_inside(pattern) else ()
            for file in found:
                self._file(file)
            for file in found or nearby.named(pattern, self._lists):
                resolved = file.resolve()
                self._asked.add(resolved)
                addresses += self._lists.get(resolved, [])
                found = found or (file,)
            if not found:
                what = f"file_sd_configs {pattern} of the job {job.name}"
                self.unreadable.append(Unreadable(job.place, f"{what}: {_ELSEWHERE}"))
        return replace(job, targets=tuple(addresses))


def jobs_timing(general: Fields, unreadable: list[Unreadable]) -> Timing:
    """`global:`; what is wrong with it is added to `unreadable`."""
    try:
        return jobs.timing_of(general)
    except ValueError as error:
        place = error.place if isinstance(error, WrongValueError) else general.place()
        unreadable.append(Unreadable(place, f"global: {error}"))
        return Timing()
