"""What handlers, timers and routes of routing are given."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from routing.cases.model import Case, Step
from routing.cases.policy import CasePolicy
from routing.cases.words import CriticalWords
from routing.metrics import RoutingMetrics
from routing.rota.model import Rota
from routing.settings import Settings
from shared.runtime.database import Database, Unit
from shared.runtime.outbound import Outbound
from shared.runtime.sealing import Sealer

After = Callable[[Unit, "Deps", Sequence[tuple[Case, Step]]], Awaitable[None]]
"""Something of a feature above that must happen in the transaction in which cases changed: each revision with the case as of it."""


@dataclass(frozen=True, slots=True)
class Deps:
    """`rota` and `policy` are in force until the first version is activated; `zones` are those of the company's country."""

    settings: Settings
    database: Database
    sealer: Sealer
    outbound: Outbound
    metrics: RoutingMetrics
    rota: Rota
    policy: CasePolicy
    words: CriticalWords
    zones: tuple[str, ...]
    after: tuple[After, ...] = ()
