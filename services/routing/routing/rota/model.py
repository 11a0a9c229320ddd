"""The rota: which teams there are, what they can do, when they are open, and who works in them. A version never changes."""

from collections import Counter
from datetime import date, datetime, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Day = Annotated[str, Field(pattern="^(mon|tue|wed|thu|fri|sat|sun)$")]
Clock = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Hours = dict[Day, tuple[tuple[Clock, Clock], ...]]
"""Opening hours per weekday, local clock, from until not including; a day that is missing is closed."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("there is no such time zone: use an IANA name such as America/Chicago")
    return name


def _ascending(hours: Hours) -> Hours:
    for day, spans in hours.items():
        ends = [clock for span in spans for clock in span]
        if ends != sorted(set(ends)):
            raise ValueError(f"the hours of {day} must ascend without overlap")
    return hours


OpenHours = Annotated[Hours, AfterValidator(_ascending)]


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

    @model_validator(mode="after")
    def _is_open_sometime(self) -> Self:
        if not any(self.hours.values()):
            raise ValueError("a team that is never open can owe nobody a call: give it hours")
        return self

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
    return tuple(person for person in team.people if is_open(team, person.shifts or team.hours, at))


def is_open(team: Team, hours: Hours, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(team.zone))
    if local.date() in team.holidays:
        return False
    return any(_clock(start) <= local.time() < _clock(end) for start, end in hours.get(DAYS[local.weekday()], ()))


def _clock(written: str) -> time:
    return time.max if written == "24:00" else time.fromisoformat(written)
