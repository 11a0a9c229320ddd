"""What handlers, timers and routes are given."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.ask.clients import Gateway
from scoring.listen.misses import Misses, Proxies
from scoring.metrics import ScoringMetrics
from scoring.settings import Settings
from shared.runtime.database import Database
from shared.runtime.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Deps:
    """`gateways` by channel; `misses` and `proxies` are for who asks for surveys that are not there."""

    settings: Settings
    database: Database
    sealer: Sealer
    gateways: Mapping[str, Gateway]
    metrics: ScoringMetrics
    misses: Misses
    proxies: Proxies
