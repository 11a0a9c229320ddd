"""The composition root: the only place where scoring's parts are built."""

from collections.abc import Mapping

import scoring.ask.inbox.api
import scoring.ask.inbox.pages
import scoring.ask.sending.api
import scoring.decide.api
import scoring.decide.pages
import scoring.decide.policies.api
import scoring.listen.pages
import scoring.listen.receive
import scoring.score.api
from scoring.ask.clients import Gateway, WebhookGateway
from scoring.ask.inbox.clients import InboxGateway
from scoring.deps import Deps
from scoring.handle import HANDLERS
from scoring.listen.misses import Misses, Proxies
from scoring.metrics import ScoringMetrics
from scoring.settings import Settings
from scoring.timers import TIMERS
from shared.runtime.broker import Broker
from shared.runtime.database import Database
from shared.runtime.http import create_app, create_internal, edges
from shared.runtime.measures import Measures
from shared.runtime.metrics import OutboundMetrics, registry
from shared.runtime.outbound import Outbound
from shared.runtime.process import Service
from shared.runtime.sealing import Sealer

ROUTERS = (
    scoring.decide.api.router,
    scoring.decide.pages.router,
    scoring.decide.policies.api.router,
    scoring.ask.sending.api.router,
    scoring.ask.inbox.api.router,
    scoring.ask.inbox.pages.router,
    scoring.score.api.router,
    scoring.listen.pages.router,
    scoring.listen.receive.router,
)


def build(settings: Settings, *, broker: Broker) -> Service:
    """The service, not yet started."""
    database = Database(settings.database_url, schema=settings.SERVICE, pool_size=settings.pool_size, pool_wait=settings.pool_wait_s)
    metrics = registry(settings.SERVICE)
    sealer = Sealer(settings.seal_keys, settings.pepper)
    client = Outbound(allow=settings.outbound_allow, metrics=OutboundMetrics(metrics))
    deps = Deps(
        settings=settings,
        database=database,
        sealer=sealer,
        gateways=gateways(settings, database, sealer=sealer, client=client),
        metrics=ScoringMetrics(metrics),
        misses=Misses(burst=settings.survey_misses, every_s=settings.survey_miss_every_s),
        proxies=Proxies(settings.trusted_proxies),
    )
    made = edges(settings, database, registry=metrics, package=settings.SERVICE)
    public = create_app(made, ROUTERS, title="Aftercall scoring")
    internal = create_internal(made)
    for app in (public, internal):
        app.state.deps = deps
    return Service(
        name=settings.SERVICE,
        settings=settings,
        database=database,
        broker=broker,
        public=public,
        internal=internal,
        handlers=HANDLERS,
        timers=TIMERS,
        deps=deps,
        sealer=sealer,
        measures=Measures(metrics),
        closing=(client.close,),
    )


def gateways(settings: Settings, database: Database, *, sealer: Sealer, client: Outbound) -> Mapping[str, Gateway]:
    """What sends each channel."""
    made: dict[str, Gateway] = {
        "inbox": InboxGateway(database, sealer),
        "webhook": WebhookGateway(
            client,
            settings.webhook_url,
            secret=settings.webhook_secret,
            keeps_keys=settings.webhook_keeps_keys,
            timeout_s=settings.gateway_timeout_s,
        ),
    }
    return {channel: made[name] for channel, name in settings.gateways.items()}
