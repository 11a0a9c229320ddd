"""A team's tile: tNPS with its interval, called in time, recovered, oldest open. Counts come in, rates are made here, never averaged."""

from dataclasses import dataclass

from routing.cases.queue.model import Tally
from routing.console import clock
from routing.console.look import Look
from shared import nps

Rate = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Points from -100 to 100 with the interval of `n` answers."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Tile:
    """Rates are (rate, low, high) in 0..1, None where nothing was counted yet."""

    code: str
    name: str
    tnps: Estimate | None
    in_time: Rate | None
    recovered: Rate | None
    oldest: str


def tile(tally: Tally, look: Look) -> Tile:
    return Tile(
        code=tally.team,
        name=look.team(tally.team),
        tnps=_estimate(tally),
        in_time=_rate(tally.called_in_time, tally.called_due),
        recovered=_rate(tally.recovered, tally.recovery_answered),
        oldest=clock.left(tally.oldest_due_at, look.now, zone=look.zone) if tally.oldest_due_at else "none",
    )


def _estimate(tally: Tally) -> Estimate | None:
    counts = nps.Counts(tally.detractors, tally.passives, tally.promoters)
    if not sum(counts):
        return None
    low, high = nps.interval(*counts)
    return Estimate(nps.score(*counts), low, high, sum(counts))


def _rate(part: int, whole: int) -> Rate | None:
    if not whole:
        return None
    low, high = nps.wilson(part, whole)
    return part / whole, low, high
