"""What handlers, timers and routes of routing are given."""

from dataclasses import dataclass

from routing.cases.policy import CasePolicy
from routing.cases.words import CriticalWords
from routing.metrics import RoutingMetrics
from routing.rota.model import Rota
from routing.settings import Settings
from shared.runtime.database import Database
from shared.runtime.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Deps:
    """`rota` and `policy` are in force until the first version is activated; `zones` are those of the company's country."""

    settings: Settings
    database: Database
    sealer: Sealer
    metrics: RoutingMetrics
    rota: Rota
    policy: CasePolicy
    words: CriticalWords
    zones: tuple[str, ...]
