"""When a call is due: business time of the team that owes it."""

from datetime import datetime

from routing.cases.model import Level
from routing.cases.terms import Terms
from shared.hours import Calendar, Hours, add_business_time


def due_at(answered_at: datetime, level: Level, *, team: str, terms: Terms) -> datetime:
    """So much business time after the answer as the level allows; minutes at night or on a holiday do not count."""
    return add_business_time(answered_at, terms.policy.due_in(level), calendar=calendar_of(team, terms))


def calendar_of(team: str, terms: Terms) -> Calendar:
    """The team's own calendar, or the company's where the rota does not know the team."""
    known = terms.rota.team(team)
    return known.calendar if known else Calendar(terms.company_zone, Hours.parse(terms.policy.team_hours))
