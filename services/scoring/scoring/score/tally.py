"""What an answer changes in the counts: minus where it stood, plus where it stands."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from scoring.score.model import Counted, Place, Tally

Move = tuple[Counted | None, Counted | None]
"""How an answer was counted before, and how it is now; None: not at all."""

BySegment = tuple[date, str, str, str, str]
"""day, kind, channel, segment, moment"""

ByTeam = tuple[date, str, str, str]
"""day, kind, team, channel"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Per cell of each grain what to add, without zeros, in the order of their keys: every writer locks cells in the same order."""

    by_segment: tuple[tuple[BySegment, Tally], ...]
    by_team: tuple[tuple[ByTeam, Tally], ...]


def changes(moves: Iterable[Move]) -> Changes:
    segment: defaultdict[BySegment, Tally] = defaultdict(Tally)
    team: defaultdict[ByTeam, Tally] = defaultdict(Tally)
    for counted, tally in _signed(moves):
        segment[segment_cell(counted.place)] += tally
        team[team_cell(counted.place)] += tally
    return Changes(
        tuple((cell, segment[cell]) for cell in sorted(segment) if segment[cell]),
        tuple((cell, team[cell]) for cell in sorted(team) if team[cell]),
    )


def _signed(moves: Iterable[Move]) -> Iterable[tuple[Counted, Tally]]:
    for before, after in moves:
        if before is not None:
            yield before, -Tally.of(before.band)
        if after is not None:
            yield after, Tally.of(after.band)


def segment_cell(place: Place) -> BySegment:
    return place.day, place.kind, place.channel, place.segment, place.moment


def team_cell(place: Place) -> ByTeam:
    return place.day, place.kind, place.team, place.channel


def day_of(answered_at: datetime, zone: str) -> date:
    """The day of an answer in the company's zone."""
    return answered_at.astimezone(ZoneInfo(zone)).date()
