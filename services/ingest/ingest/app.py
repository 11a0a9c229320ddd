"""The composition root of ingest: the only place that builds things."""

from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path

from ingest.catalogue import api as catalogue_api
from ingest.catalogue.model import Catalogue
from ingest.catalogue.reading import Fault, read
from ingest.contacts import api as contacts_api
from ingest.contacts.handle import Closing
from ingest.contacts.model import Patience
from ingest.deps import Deps
from ingest.erasure import api as erasure_api
from ingest.erasure.handle import Office
from ingest.errors import CatalogueFileUnusable, OwnNumberUnusable
from ingest.explain import pages as explain_pages
from ingest.handle import HANDLERS
from ingest.intake import api as intake_api
from ingest.intake import receive
from ingest.intake.clients import AmazonSns
from ingest.intake.handle import Door
from ingest.intake.personal import keep
from ingest.intake.sorting import Rules
from ingest.metrics import Metrics
from ingest.people import api as people_api
from ingest.people.canonical import Naming
from ingest.people.handle import Desk
from ingest.people.zones import Places, postal_zones
from ingest.settings import Settings
from ingest.timers import TIMERS
from shared.addresses import Unusable, phone, zones_of_number
from shared.runtime import http, metrics
from shared.runtime.broker import Broker
from shared.runtime.consumer import Consumer
from shared.runtime.database import Database, as_json
from shared.runtime.measures import Measures
from shared.runtime.metrics import OutboundMetrics
from shared.runtime.outbound import Outbound
from shared.runtime.process import Service
from shared.runtime.reading import Reading
from shared.runtime.sealing import Sealer
from shared.topics import read_by
from shared.zones import zones_of_country

RAW_TOPICS = frozenset(topic.name for topic in read_by("ingest") if topic.raw)
ROUTERS = (
    intake_api.router,
    receive.router,
    contacts_api.router,
    people_api.router,
    erasure_api.router,
    catalogue_api.router,
    explain_pages.router,
)
CALLERS = 8192
"""So many are remembered as they are stored: the next event of a contact names its customer again."""


def build(settings: Settings, *, broker: Broker) -> Service:
    registry = metrics.registry("ingest")
    database = Database(settings.database_url, schema="ingest", pool_size=settings.pool_size, pool_wait=settings.pool_wait_s)
    sealer, measures = Sealer(settings.seal_keys, settings.pepper), Measures(registry)
    edges = http.edges(settings, database, registry=registry, package="ingest")
    outbound = Outbound(allow=settings.outbound_allow, metrics=OutboundMetrics(registry))
    deps = _deps(settings, database, sealer=sealer, measures=measures, ours=Metrics(registry), outbound=outbound)
    public = http.create_app(edges, ROUTERS, title="Aftercall ingest")
    public.state.deps = deps
    events = Consumer(
        group="aftercall-ingest-events",
        topics=sorted(RAW_TOPICS),
        apply=deps.door,
        broker=broker,
        database=database,
        sealer=sealer,
        measures=measures,
        reading=Reading(watermark=True),
    )
    return Service(
        name="ingest",
        settings=settings,
        database=database,
        broker=broker,
        public=public,
        internal=http.create_internal(edges),
        handlers=HANDLERS,
        timers=TIMERS,
        deps=deps,
        sealer=sealer,
        measures=measures,
        tasks={"events": events},
        applies=dict.fromkeys(RAW_TOPICS, deps.door),
        closing=[outbound.close],
    )


def _deps(settings: Settings, database: Database, *, sealer: Sealer, measures: Measures, ours: Metrics, outbound: Outbound) -> Deps:
    desk, patience = desk_of(settings, sealer), patience_of(settings)
    kept = lru_cache(CALLERS)(partial(keep, seal=sealer.seal, naming=desk.naming))
    rules = Rules(kept, patience, as_json)
    door = Door(database, sealer, rules, RAW_TOPICS, raw=settings.raw(), limit=settings.record_limit, metrics=ours, measures=measures)
    closing = Closing(
        desk=desk,
        patience=patience,
        own_numbers=own_numbers_of(settings),
        topics=RAW_TOPICS,
        unread_for=timedelta(seconds=settings.unread_partition_s),
        at_once=settings.close_batch,
        keep_events=timedelta(seconds=settings.keep_events_s),
        catalogue=catalogue_of(settings.catalogue_file),
        metrics=ours,
    )
    office = Office(desk, timedelta(seconds=settings.keep_erased_s), timedelta(seconds=settings.erasure_late_s), metrics=ours)
    webhooks = receive.Webhooks(settings.sources(), door, desk, AmazonSns(outbound), ours, settings.webhook_rate)
    return Deps(settings, database, desk, closing=closing, door=door, webhooks=webhooks, office=office)


def desk_of(settings: Settings, sealer: Sealer) -> Desk:
    naming = Naming(sealer.ref, settings.company_country)
    country = tuple(zones_of_country(settings.company_country))
    return Desk(sealer, naming, Places(country or (settings.company_zone,), postal_zones(settings.company_country), zones_of_number))


def patience_of(settings: Settings) -> Patience:
    def seconds(**channels: float) -> dict[str, timedelta]:
        return {channel: timedelta(seconds=length) for channel, length in channels.items()}

    chat = settings.stale_chat_s
    return Patience(
        hold_offs=seconds(phone=settings.hold_phone_s, chat=settings.hold_chat_s, web=settings.hold_web_s),
        hold_off=timedelta(seconds=settings.hold_other_s),
        stale=seconds(phone=settings.stale_phone_s, chat=chat, email=chat, web=settings.stale_web_s),
        stale_after=timedelta(seconds=settings.stale_other_s),
        address_wait=timedelta(seconds=settings.address_wait_s),
        gap=timedelta(seconds=settings.reopen_within_s),
        ahead=timedelta(seconds=settings.clock_ahead_s),
    )


def own_numbers_of(settings: Settings) -> dict[str, str]:
    """In E.164, like the numbers they are compared with."""
    ours: dict[str, str] = {}
    for place, (written, purpose) in enumerate(settings.own_numbers.items(), start=1):
        found = phone(written, settings.company_country)
        if isinstance(found, Unusable):
            raise OwnNumberUnusable(place, found.reason)
        ours[found.value] = purpose.lower()
    return ours


def catalogue_of(file: str) -> Catalogue:
    """The catalogue of the settings; an empty one where they name no file."""
    if not file:
        return Catalogue(teams={})
    found = catalogue_in(file)
    if isinstance(found, list):
        raise CatalogueFileUnusable(file, found)
    return found


def catalogue_in(file: str) -> Catalogue | list[Fault]:
    try:
        return read(Path(file).read_bytes())
    except OSError as error:
        return [("", error.strerror or "unreadable")]
