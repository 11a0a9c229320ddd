"""The rota: which teams there are, what they can do, when they are open, and who works in them. A version never changes."""

from collections import Counter
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.hours import Calendar, Hours, next_sendable
from shared.zones import is_zone

Written = dict[str, str | tuple[str, ...]]
"""Opening hours as data: {"mon-fri": "08:00-18:00", "sat": ["09:00-12:00", "13:00-15:00"]}."""


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("there is no such time zone: use an IANA name such as America/Chicago")
    return name


def _hours(written: Written) -> Written:
    if "closed" in written:
        raise ValueError("days off stand in `holidays`")
    if not any(Hours.parse(written).week):
        raise ValueError("who is never open can owe nobody a call: give hours")
    return written


OpenHours = Annotated[Written, AfterValidator(_hours)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Part):
    """Somebody who calls. `ref` is who they sign in as; without shifts they work the team's hours."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    shifts: OpenHours | None = None


class Team(_Part):
    """An empty list of skills, languages or segments means any."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    zone: Annotated[str, AfterValidator(_zone)]
    hours: OpenHours
    holidays: tuple[date, ...] = ()
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()

    @property
    def calendar(self) -> Calendar:
        """When work promised by this team counts."""
        return Calendar(self.zone, self.open())

    def open(self, written: Written | None = None) -> Hours:
        """These hours, else the team's, with the team's holidays closed."""
        return Hours.parse(written or self.hours).closing(self.holidays)

    def person(self, ref: str) -> Person | None:
        return next((each for each in self.people if each.ref == ref), None)


class Rota(_Part):
    """All teams at once. Version 0 is the one a deployment starts with."""

    teams: tuple[Team, ...] = ()
    version: int = 0

    @model_validator(mode="after")
    def _names_each_team_once(self) -> Self:
        twice = sorted(code for code, count in Counter(team.code for team in self.teams).items() if count > 1)
        if twice:
            raise ValueError(f"named more than once: {', '.join(twice)}")
        return self

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(team.code for team in self.teams)

    def team(self, code: str) -> Team | None:
        return next((team for team in self.teams if team.code == code), None)


def on_shift(team: Team, at: datetime) -> tuple[Person, ...]:
    """Who works in the team at this moment."""
    return tuple(person for person in team.people if _works(team, person, at))


def _works(team: Team, person: Person, at: datetime) -> bool:
    return next_sendable(at, (team.zone,), hours=team.open(person.shifts), until=at) is not None
