"""What is in force while something is judged."""

from dataclasses import dataclass
from datetime import datetime

from routing.cases.policy import CasePolicy
from routing.rota.model import Rota


@dataclass(frozen=True, slots=True)
class Terms:
    """`zones` are the company's: where a customer may be whose own zones are unknown. `now` is the database's."""

    policy: CasePolicy
    rota: Rota
    zones: tuple[str, ...]
    company_zone: str
    now: datetime
