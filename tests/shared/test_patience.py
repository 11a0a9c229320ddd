"""Pauses grow while the world fails again and again, and begin small after a good time."""

import asyncio

from shared.runtime.broker import BrokerAway
from shared.runtime.patience import Patience


class Paused(Patience):
    """Notes how many tries each pause follows, instead of waiting; `now` is its clock."""

    def __init__(self) -> None:
        super().__init__(asyncio.Event(), longest=5.0, clock=lambda: self.now)
        self.now, self.after = 0.0, list[int]()

    async def pause(self, tries: int) -> None:
        self.after.append(tries)


async def _tries(lasting: list[float]) -> list[int]:
    """The pauses after work that failed after so many seconds each, and succeeded at last."""
    patience, left = Paused(), iter(lasting)

    async def work() -> None:
        seconds = next(left, None)
        if seconds is not None:
            patience.now += seconds
            raise BrokerAway("gone")

    await patience.insist(work)
    return patience.after


async def test_pauses_grow_while_work_fails_at_once() -> None:
    assert await _tries([0.1, 0.1, 4.9]) == [1, 2, 3]


async def test_work_that_went_well_for_a_while_is_tried_again_soon() -> None:
    assert await _tries([0.1, 0.1, 3600.0, 0.1, 0.1]) == [1, 2, 1, 2, 3]
