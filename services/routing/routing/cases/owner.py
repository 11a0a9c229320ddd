"""Which team a case belongs to."""

from dataclasses import dataclass

from routing.rota.model import Rota, Team


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a team should be able to do for this customer; None asks for nothing in particular."""

    skill: str | None
    language: str | None
    segment: str | None


def owner_team(contact_team: str | None, wanted: Wanted, *, rota: Rota, fallback: str) -> str:
    """The contact's own team if it is in the rota, else the rota team that fits best, else the contact's own, else the fallback."""
    if contact_team is not None and contact_team in rota.codes:
        return contact_team
    fitting = [team for team in rota.teams if fits(team, wanted)]
    if fitting:
        return min(fitting, key=lambda team: (-_named(team, wanted), team.code)).code
    return contact_team or fallback


def fits(team: Team, wanted: Wanted) -> bool:
    """A team that names no skills, languages or segments takes any."""
    return all(not offered or ask is None or ask in offered for offered, ask in _pairs(team, wanted))


def _named(team: Team, wanted: Wanted) -> int:
    """How many of the wishes the team names: who names it knows it better than who takes any."""
    return sum(ask is not None and ask in offered for offered, ask in _pairs(team, wanted))


def _pairs(team: Team, wanted: Wanted) -> tuple[tuple[frozenset[str], str | None], ...]:
    language = wanted.language.split("-")[0].lower() if wanted.language else None
    return (
        (frozenset(team.skills), wanted.skill),
        (frozenset(each.split("-")[0].lower() for each in team.languages), language),
        (frozenset(team.segments), wanted.segment),
    )
