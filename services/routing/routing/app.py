"""Builds routing from its settings: the only place where its parts are made."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from routing.alerts import handle as alerting
from routing.alerts.api import router as alerts
from routing.cases import api
from routing.cases.policy import CasePolicy
from routing.cases.queue.api import router as reading
from routing.cases.timers import Counting
from routing.cases.words import CriticalWords, of_lists
from routing.cases.work.api import router as working
from routing.console.case.pages import router as case_pages
from routing.console.live import Live
from routing.console.live import router as live
from routing.console.pages import router as start
from routing.console.queue.pages import router as queue_pages
from routing.console.work.pages import router as work_pages
from routing.deps import Deps
from routing.dialers.api import router as dialing
from routing.handle import HANDLERS
from routing.metrics import RoutingMetrics
from routing.recovery.api import router as recovery
from routing.rota.api import router as rota
from routing.rota.model import Rota
from routing.settings import Settings
from routing.timers import TIMERS
from shared.runtime import http, metrics
from shared.runtime.broker import Broker
from shared.runtime.database import Database
from shared.runtime.measures import Measures
from shared.runtime.metrics import OutboundMetrics
from shared.runtime.outbound import Outbound
from shared.runtime.process import Service
from shared.runtime.sealing import Sealer
from shared.zones import zones_of_country

MACHINES = (reading, working, rota, recovery, alerts, dialing)
PAGES = (start, live, queue_pages, work_pages, case_pages)


def build(settings: Settings, *, broker: Broker) -> Service:
    """Opens no connection: what cannot be reached is waited for when it is needed."""
    registry = metrics.registry("routing")
    database = Database(settings.database_url, schema="routing", pool_size=settings.pool_size, pool_wait=settings.pool_wait_s)
    deps = Deps(
        settings=settings,
        database=database,
        sealer=Sealer(settings.seal_keys, settings.pepper),
        outbound=Outbound(allow=settings.outbound_allow, metrics=OutboundMetrics(registry)),
        metrics=RoutingMetrics(registry),
        after=(alerting.cases_changed,),
        rota=rota_of(settings.rota_file),
        policy=CasePolicy.model_validate(_json(settings.policy_file)),
        words=words_of(settings.words_file),
        zones=zones_of_country(settings.company_country) or (settings.company_zone,),
    )
    edges = http.edges(settings, database, registry=registry, package="routing")
    hub = Live(broker, clients=settings.live_clients)
    return Service(
        name="routing",
        settings=settings,
        database=database,
        broker=broker,
        public=public(edges, deps, hub),
        internal=http.create_internal(edges),
        handlers=HANDLERS,
        timers=TIMERS,
        deps=deps,
        sealer=deps.sealer,
        measures=Measures(registry),
        tasks={"counting": Counting(deps), "live": hub},
        closing=[deps.outbound.close],
    )


def public(edges: http.Edges, deps: Deps, hub: Live) -> FastAPI:
    """The application of the public port; routes find `deps` and `live` in its state."""
    app = http.create_app(edges, [*MACHINES, *PAGES], title="Aftercall routing")
    app.state.deps, app.state.live = deps, hub
    api.install(app)
    return app


def rota_of(file: Path | None) -> Rota:
    """The rota that holds until a version is activated."""
    return Rota.model_validate(_json(file)) if file else Rota()


def words_of(file: Path) -> CriticalWords:
    lists = _json(file)
    return of_lists({language: of for language, of in lists.items() if language != "version"}, version=lists["version"])


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
