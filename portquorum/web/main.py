"""The role `web`."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from foundation import telemetry
from foundation.http_origin import Served
from foundation.lifecycle import ends_within, stop_on_signals
from foundation.loopback_listener import inherited_listener, loopback_listener, place_of
from foundation.settings import PREFIX, Settings
from portquorum.access.passwords import Passwords
from portquorum.access.rules import access_rules
from portquorum.editing.page_inventory import page_inventory
from portquorum.journal.journal import KafkaJournal
from portquorum.receiver.receiver import Receiver
from portquorum.serving.beside import Worker, all_served, serve_beside
from portquorum.serving.front import Front, only_lifespan
from portquorum.serving.server import serve
from portquorum.serving.tls import renewed, tls_context
from portquorum.sharing.share_keys import ShareKeys
from portquorum.status_editing.editor import PublishedTargets, StatusEditor
from portquorum.web.access.door import RecordsDoor
from portquorum.web.access.last_use import LastUse
from portquorum.web.acts.acts import PageActs
from portquorum.web.app import create_app
from portquorum.web.edge import too_many
from portquorum.web.explaining.explainer import Explainer
from portquorum.web.following import Following
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.office.office import RecordsOffice
from portquorum.web.pages.error_page import refusal
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.parts import Parts
from portquorum.web.public.assembly import public_side
from portquorum.web.receiving.fleet_jobs import FleetJobs
from portquorum.web.receiving.new_jobs import NewJobs
from portquorum.web.routes import page_routes

_CLOSE_S: Final = 2.0
"""What the questions to ClickHouse have at the end."""

_log: Final = telemetry.logger(__name__)


async def run(settings: Settings, *, listen: str | None = None, fd: int | None = None) -> None:
    """Shows the page until SIGTERM or SIGINT; ends within 10 s.

    It answers at once: that nobody knows yet who may come in until [web] is read, and then that it
    is blind until the other topics are, and while Kafka is away.
    `listen` goes before the setting, `fd` before both: a listening socket that was inherited.

    Raises:
        foundation.settings.SettingsError: where it should listen can't be used.
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        Exception: a fault of ours; the process should end with it and be started again.
    """
    telemetry.configure_logging("web", settings)
    rules = access_rules(settings)
    tls = None if rules.tls is None else tls_context(rules.tls)
    listening = _listening(settings, listen, fd, elsewhere=rules.may_be_elsewhere)
    outside = _outside(settings)
    stop = stop_on_signals()
    telemetry.serve_metrics("web", settings)
    following = Following(settings)
    journal = KafkaJournal(settings)
    passwords = Passwords()
    last_use = LastUse(journal)
    edits = page_inventory(settings, journal, following.published)
    history = StoredHistory(settings)
    acts = PageActs(settings, following.fleet, following.hub, history, journal)
    closing = asyncio.Event()
    keys = ShareKeys(journal)
    jobs = FleetJobs(following.fleet.inventory, following.is_present)
    receiver = Receiver(settings, journal, keys, jobs, NewJobs(edits))
    served = Served(listening.getsockname()[0], settings.http_host_names)
    door = RecordsDoor(journal, served, rules, last_use=last_use, away_since=_away_since(following))
    app = create_app(
        Parts(
            following.fleet,
            following.hub,
            history,
            closing,
            Explainer(settings),
            journal=journal,
            acts=acts,
            edits=edits,
            office=RecordsOffice(journal, passwords),
            keys=keys,
            status_edits=StatusEditor(journal, PublishedTargets(following.published), passwords),
        ),
        served,
        routes=page_routes(journal, rules, passwords=passwords),
        error_page=error_page_of(following.fleet),
        refusal_page=refusal,
        door=door,
    )
    public = public_side(
        settings, journal, following.fleet, history, keys=keys, door=door, rules=rules
    )
    whole = Front([receiver.app, public.app], app)
    scheme = "http" if tls is None else "https"
    _log.info("page served", address=f"{scheme}://{place_of(listening)}/")
    workers: list[Worker] = [
        following.run,
        journal.run,
        last_use.run,
        acts.run,
        edits.run,
        public.keeper.run,
        partial(receiver.run, closing),
    ]
    if rules.tls is not None and tls is not None:
        workers.append(partial(renewed, tls, rules.tls))
    many = 1 if outside is None else 2
    serves = [serve(whole, listening, closing, stop, tls=tls, busy=too_many, listeners=many)]
    if outside is not None:
        _log.info("status pages served", address=f"{scheme}://{place_of(outside)}/")
        strangers = Front([receiver.app, public.outside], only_lifespan)
        serves.append(serve(strangers, outside, asyncio.Event(), stop, tls=tls, listeners=many))
    try:
        await serve_beside(all_served(serves, stop), workers, stop)
    finally:
        await ends_within(_CLOSE_S, history.close())


def _away_since(following: Following) -> Callable[[], int | None]:
    """Since when Kafka does not answer, UTC ms; None: it does."""

    def since() -> int | None:
        fresh = following.fleet.freshness()
        return fresh.blind_since if fresh.blind_because == "kafka_away" else None

    return since


def _outside(settings: Settings) -> socket.socket | None:
    """The listener for strangers; None: there is none."""
    if settings.public_listen is None:
        return None
    return loopback_listener(settings.public_listen, f"{PREFIX}PUBLIC_LISTEN", elsewhere=True)


def _listening(
    settings: Settings, listen: str | None, fd: int | None, *, elsewhere: bool
) -> socket.socket:
    if fd is not None:
        return inherited_listener(fd, "--fd", elsewhere=elsewhere)
    if listen is not None:
        return loopback_listener(listen, "--listen", elsewhere=elsewhere)
    return loopback_listener(settings.web_listen, f"{PREFIX}WEB_LISTEN", elsewhere=elsewhere)
