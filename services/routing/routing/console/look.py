"""Who looks at the console, when, from which zone, and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.cases.model import By
from routing.rota.model import Rota


@dataclass(frozen=True, slots=True)
class Look:
    """`teams` None is somebody who sees all teams. `zone` is what "your time" means. Rights are those of the API's twins."""

    by: By
    now: datetime
    zone: str
    teams: frozenset[str] | None
    rota: Rota
    works: bool
    leads: bool
    customer_zones: tuple[str, ...]
    work_teams: frozenset[str] | None = None

    def works_in(self, team: str) -> bool:
        """An admin who is also a guide reads all teams and calls for the own ones."""
        return self.works and (self.work_teams is None or team in self.work_teams)

    def team(self, code: str) -> str:
        known = self.rota.team(code)
        return known.name if known else code.replace("_", " ").capitalize()

    def named(self, ref: str | None, name: str | None) -> str:
        """ "You", or what colleagues read."""
        return "You" if ref == self.by.ref else name or ref or "Nobody"


def zone_of(rota: Rota, ref: str, *, teams: frozenset[str] | None, company: str) -> str:
    """The zone of the person's own team; else the one zone of all teams they see; else the company's."""
    own = next((team.zone for team in rota.teams if team.person(ref)), None)
    zones = _zones(rota, rota.codes if teams is None else teams)
    return own or (zones.pop() if len(zones) == 1 else company)


def _zones(rota: Rota, codes: Iterable[str]) -> set[str]:
    return {team.zone for code in codes if (team := rota.team(code))}
