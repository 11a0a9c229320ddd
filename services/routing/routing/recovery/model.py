"""Recovery: of the customers asked again after their case, how many are no longer unhappy."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.nps import wilson


@dataclass(frozen=True, slots=True)
class Asked:
    """Counted answers to recovery surveys of one kind of case; `kept` are those that are no detractors."""

    arm: str
    reached: bool
    answered: int
    kept: int


@dataclass(frozen=True, slots=True)
class Rate:
    """kept / answered, in 0..1, with its Wilson interval; null where nobody answered."""

    answered: int
    recovered: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """The rate of one arm, split by whether a call reached the customer."""

    arm: str
    reached: bool
    rate: Rate


def rate(answered: int, kept: int) -> Rate:
    if not answered:
        return Rate(0, 0, None, None, None)
    low, high = wilson(kept, answered)
    return Rate(answered, kept, kept / answered, low, high)


def cells(asked: Iterable[Asked]) -> list[Cell]:
    return [Cell(each.arm, each.reached, rate(each.answered, each.kept)) for each in asked]


def whole(asked: Iterable[Asked]) -> Rate:
    """All cells together: counts are added, rates never averaged."""
    counts = [(each.answered, each.kept) for each in asked]
    return rate(sum(answered for answered, _ in counts), sum(kept for _, kept in counts))


def by_arm(asked: Iterable[Asked]) -> dict[str, Rate]:
    given = list(asked)
    return {arm: whole(each for each in given if each.arm == arm) for arm in sorted({each.arm for each in given})}
