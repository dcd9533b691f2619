"""`portquorum up`: all roles on this machine, until Ctrl-C."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from foundation import kafka, settings
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from portquorum.embedded.service import directory, lock
from portquorum.embedded.service.addresses import ListenAddress
from portquorum.embedded.service.errors import EmbeddedServiceError, storage_error
from portquorum.embedded.service.reports import Progress
from portquorum.inventory import InventoryError, WatchEvent, check, watch_and_apply
from portquorum.inventory.present import read_policy
from portquorum.inventory.publish import source_name
from portquorum.supervisor import fleet, running
from portquorum.supervisor.called import called
from portquorum.supervisor.first_user import first_user_link
from portquorum.supervisor.listener import Listener
from portquorum.supervisor.narrator import Narrator
from portquorum.supervisor.page import Page, chosen_page
from portquorum.supervisor.role import Role, Stage
from portquorum.supervisor.running import Running
from portquorum.supervisor.sample import sample_inventory
from portquorum.supervisor.services import CLICKHOUSE, KAFKA, ServiceListener, service_role
from portquorum.supervisor.supervisor import Supervisor

_ENDED: Final = WatchEvent("failed", "the inventory is not followed any more")

NAMES: Final = {KAFKA: "Kafka", CLICKHOUSE: "ClickHouse"}

LOCK: Final = "up.lock"
"""Held by the `up` of a data directory."""

_QUERY: Final = '"SELECT * FROM results LIMIT 9"'


class UpOptions(Struct, frozen=True, kw_only=True):
    """The options of the command line.

    `external` names the services (`kafka`, `clickhouse`) of the settings, which are not started
    here. `inventory` None stands for the default place, with a sample if it is empty. `web_listen`
    None stands for the setting, and for a free port if that one is taken and nobody chose it.
    """

    settings: Settings
    external: frozenset[str]
    inventory: Path | None
    kafka_listen: str
    clickhouse_listen: str
    web_listen: str | None = None


class Up:
    """Starts everything in order, follows the inventory, stops everything in order."""

    def __init__(self, options: UpOptions, listener: Listener, narrator: Narrator) -> None:
        """Starts nothing yet."""
        self._options = options
        self._settings = options.settings
        self._narrator = narrator
        self._services = ServiceListener(listener, self._progress)
        self.supervisor = Supervisor(self._services)
        self._began = time.monotonic()
        self._first_user = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; on return no child is left, whatever happened.

        Raises:
            EmbeddedServiceError: a service can't start.
            InventoryError: the inventory can't be used.
            TopicMismatchError: the cluster's topics are not those of the settings.
        """
        work = asyncio.create_task(self._work(), name="up")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            self._narrator.quiet()
            await cancelled(work, stopping)
            if self.supervisor.roles:
                self._narrator.say("stopping …")
                began = time.monotonic()
                await self.supervisor.stop()
                self._narrator.say(f"all stopped in {time.monotonic() - began:.1f} s")

    async def _work(self) -> None:
        with _alone(self._settings.data_dir):
            await self._run_all()

    async def _run_all(self) -> None:
        if self._options.inventory:  # a wrong file is told before anything starts
            await asyncio.to_thread(check, [self._options.inventory])
        page = chosen_page(self._settings, self._options.web_listen)
        with page.listening or contextlib.nullcontext():
            if page.address:
                self._narrator.done("page", page.address, None)
            if page.instead_of:
                self._narrator.say(f"another program listens on {page.instead_of}")
            await self._run_roles(page)

    async def _run_roles(self, page: Page) -> None:
        await self._start_services()
        if page.listening is not None:
            await self._start((fleet.web_role(page.listening, self._env()),))
        inventory = self._inventory_file(page)
        began = time.monotonic()
        self._narrator.begin("topics")
        await kafka.topics_ready(self._settings)
        self._narrator.done("topics", self._settings.topic("*"), time.monotonic() - began)
        await asyncio.to_thread(check, [inventory])
        await self._start(fleet.central_roles(self._env()))
        if page.address and self._narrator.is_for_people:
            self._first_user = await first_user_link(self._settings, page.address)
        self._narrator.begin("inventory")
        await self._follow(inventory, page)

    async def _follow(self, inventory: Path, page: Page) -> None:
        began = time.monotonic()
        events: asyncio.Queue[WatchEvent] = asyncio.Queue()
        watching = asyncio.create_task(
            watch_and_apply(self._settings, [inventory], events.put_nowait)
        )
        watching.add_done_callback(lambda _: events.put_nowait(_ENDED))
        try:
            self._first(await events.get(), began)
            # Not before: a prober asks the published inventory what its region may do.
            await self._start(await self._probers(inventory))
            self._ready(inventory, page)
            while (event := await events.get()) is not _ENDED:
                await self._applied(event, inventory)
            watching.result()
        finally:
            await cancelled(watching)

    def _first(self, event: WatchEvent, began: float) -> None:
        self._narrator.quiet()
        if event.report:
            self._narrator.done("inventory", event.message, time.monotonic() - began)
            for warning in event.report.warnings:
                self._narrator.trouble(warning)
        elif event is not _ENDED:
            self._narrator.trouble(event.message)

    async def _applied(self, event: WatchEvent, inventory: Path) -> None:
        if event.report is None:
            self._narrator.trouble(event.message)
            return
        self._narrator.say(event.message)
        for warning in event.report.warnings:
            self._narrator.trouble(warning)
        try:
            wanted = await self._probers(inventory)
        except InventoryError:
            return  # changed again meanwhile: the next event says it
        have = [role for role in self.supervisor.roles if role.stage is Stage.PROBERS]
        stop, start = fleet.changes(have, wanted)
        await self.supervisor.stop_roles(stop)
        for role in start:
            self._narrator.say(f"starting {role.name}")
            await self.supervisor.start(role)

    async def _start_services(self) -> None:
        wanted = {
            KAFKA: self._options.kafka_listen,
            CLICKHOUSE: self._options.clickhouse_listen,
        }
        roles = {
            name: self._role(name, listen)
            for name, listen in wanted.items()
            if name not in self._options.external
        }
        if not roles:
            return
        self._narrator.begin(" and ".join(NAMES[name] for name in roles))
        async with _all_or_first_error() as starting:
            tasks = {
                name: starting.create_task(self._start_service(name, role))
                for name, role in roles.items()
            }
        addresses = {name: task.result() for name, task in tasks.items()}
        self._settings = replace(self._settings, **addresses)

    def _role(self, name: str, listen: str) -> Role:
        try:
            return service_role(name, listen, self._settings.data_dir)
        except EmbeddedServiceError as error:
            text = str(error).replace("--listen", f"--{name}-listen")
            raise EmbeddedServiceError(text) from error

    async def _start_service(self, name: str, role: Role) -> str:
        began = time.monotonic()
        address = await self._services.start(self.supervisor, role)
        self._narrator.done(NAMES[name], public(address), time.monotonic() - began)
        return address

    def _progress(self, service: str, progress: Progress) -> None:
        share = f" ({100 * progress.done // progress.total} %)" if progress.total else ""
        self._narrator.progress(f"{NAMES[service]}: {progress.step}{share}")

    def _inventory_file(self, page: Page) -> Path:
        data_dir = self._settings.data_dir
        path = (self._options.inventory or running.default_inventory(data_dir)).absolute()
        kafka_place = self._settings.kafka.split(",")[0]
        clickhouse_place = _place(self._settings.clickhouse)
        if self._options.inventory is None and _untouched(path, running.read(data_dir)):
            path.write_text(sample_inventory(kafka_place, clickhouse_place), encoding="utf-8")
        running.write(
            data_dir,
            Running(
                pid=os.getpid(),
                inventory=str(path),
                kafka=kafka_place,
                clickhouse=clickhouse_place,
                page=page.address,
            ),
        )
        return path

    async def _start(self, roles: Sequence[Role]) -> None:
        for role in roles:
            await self.supervisor.start(role)
        self._narrator.done("started", ", ".join(role.name for role in roles), None)

    async def _probers(self, inventory: Path) -> tuple[Role, ...]:
        """One for each region as it is published: the file may be empty or wrong just now.

        Raises:
            InventoryError: nothing is published, and the file can't be used.
        """
        published = await read_policy(self._settings)
        source = source_name([inventory])
        entries = [kept.entry for kept in published.values() if kept.source == source]
        if not entries:
            entries = list((await asyncio.to_thread(check, [inventory])).policy)
        return fleet.prober_roles(entries, self._env())

    def _env(self) -> dict[str, str]:
        return {
            "PORTQUORUM_KAFKA": self._settings.kafka,
            "PORTQUORUM_CLICKHOUSE": self._settings.clickhouse,
            "PORTQUORUM_DATA_DIR": str(self._settings.data_dir.absolute()),
            "PORTQUORUM_LOG_FORMAT": "json",
            # One address can't serve the metrics of all roles.
            "PORTQUORUM_METRICS": "auto",
        }

    def _ready(self, inventory: Path, page: Page) -> None:
        self._narrator.ready(
            time.monotonic() - self._began,
            (
                ("page", page.address or page.why_not),
                *((("first user", self._first_user),) if self._first_user else ()),
                ("Kafka", self._settings.kafka),
                ("ClickHouse", public(self._settings.clickhouse)),
                ("inventory", f"{_short(inventory)} (followed: save it, and it is applied)"),
            ),
            (
                *((found,) if (found := self._where_to_find_it()) else ()),
                (f"{called()} target add HOST:PORT", "watch your first port"),
                (f"{called()} status", "what is up, from where"),
                (f"{called()} incidents --open", "what is wrong"),
                (f"{called()} sql {_QUERY}", "ask anything"),
            ),
        )

    def _where_to_find_it(self) -> tuple[str, str] | None:
        """Lets other commands find a data directory at an unusual place."""
        variable = "PORTQUORUM_DATA_DIR"
        others = settings.load({k: v for k, v in os.environ.items() if k != variable}).data_dir
        ours = self._settings.data_dir
        if ours.absolute() == others.absolute():
            return None
        return f"export {variable}={ours.absolute()}", "where they find it"


@contextlib.asynccontextmanager
async def _all_or_first_error() -> AsyncIterator[asyncio.TaskGroup]:
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except* EmbeddedServiceError as errors:
        raise errors.exceptions[0] from None


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Holds the data directory for this `up`.

    Raises:
        EmbeddedServiceError: another `up` has it, or it can't be written.
    """
    directory.check_name(data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise storage_error(error, data_dir) from error
    try:
        if not lock.try_lock(descriptor):
            raise _another(data_dir, lock.owner(descriptor))
        yield
    finally:
        os.close(descriptor)


def _another(data_dir: Path, owner: lock.LockOwner) -> EmbeddedServiceError:
    end = f"`kill {owner.pid}`" if owner.pid else "Ctrl-C"
    return EmbeddedServiceError(
        f"another `portquorum up` ({owner}) uses {data_dir}: ask that one (`portquorum status`), "
        f"end it (Ctrl-C there, or {end}), or start a second one on data and ports of its own "
        "(--data, --kafka-listen, --clickhouse-listen)"
    )


def public(url: str) -> str:
    """A URL without its user and password."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return str(ListenAddress(parts.hostname or "127.0.0.1", parts.port or 8123))


def _untouched(path: Path, last: Running | None) -> bool:
    """True if the file is missing, or is the unchanged sample of an earlier `up`."""
    if not path.exists():
        return True
    if last is None:
        return False
    return path.read_text(encoding="utf-8") == sample_inventory(last.kafka, last.clickhouse)


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.absolute().relative_to(Path.cwd()))
    return str(path)


__all__: Sequence[str] = ["Up", "UpOptions", "public"]
