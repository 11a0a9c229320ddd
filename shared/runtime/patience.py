"""What the world does wrong is waited out, with growing, jittered pauses; what a message or a bug does wrong rises at once."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.runtime.broker import BrokerAway
from shared.runtime.database import cause_of, worlds_fault

log = logging.getLogger("aftercall.patience")
T = TypeVar("T")


class Stopped(Exception):
    """The service was told to stop while it waited for the world. Nothing was done; the work is there at the next start."""


def passing(fault: BaseException) -> bool:
    """May the same work succeed later?"""
    return worlds_fault(fault) or isinstance(fault, BrokerAway)


class Patience:
    """Pauses start at `first` seconds and grow to `longest`. What went well for longer than that begins at `first` again when it fails."""

    def __init__(
        self, stop: asyncio.Event, *, first: float = 0.1, longest: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stop, self._first, self._longest, self._clock = stop, first, longest, clock

    async def insist(self, work: Callable[[], Awaitable[T]], *, tried: Callable[[BaseException], None] | None = None) -> T:
        """The result of `work`, tried until the world allows it; raises Stopped, or what is not the world's fault."""
        tries = 0
        while True:
            began = self._clock()
            try:
                return await work()
            except Exception as fault:
                if not passing(fault):
                    raise
                log.warning("waiting for the world", extra={"cause": cause_of(fault)})
                if tried:
                    tried(fault)
            tries = 1 if self._clock() - began > self._longest else tries + 1
            await self.pause(tries)

    async def attempt(self, work: Callable[[], Awaitable[object]]) -> None:
        """Once; where the world does not allow it, the next round will do."""
        try:
            await work()
        except Exception as fault:
            if not passing(fault):
                raise
            log.warning("a round is left out", extra={"cause": cause_of(fault)})

    async def pause(self, tries: int) -> None:
        """Raises Stopped when told to stop meanwhile."""
        seconds = min(self._longest, self._first * 2 ** min(tries, 16)) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
            raise Stopped
