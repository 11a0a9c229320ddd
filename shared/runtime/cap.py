"""When so many messages of a topic are at fault that the fault is more likely ours: stop its consumer and ask."""

from collections import deque
from dataclasses import dataclass, field
from itertools import repeat


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_a_row` faults, or `share` of the last `window` messages once `least` were read."""

    in_a_row: int = 20
    share: float = 0.10
    window: int = 1000
    least: int = 100


@dataclass(slots=True)
class Cap:
    """Counts one topic's messages since the start or the last resume."""

    limits: Limits
    _run: int = 0
    _last: deque[bool] = field(default_factory=deque)
    _dead: int = 0

    def saw(self, *, dead: bool, times: int = 1) -> None:
        self._run = self._run + times if dead else 0
        self._last.extend(repeat(dead, times))
        self._dead += dead * times
        while len(self._last) > self.limits.window:
            self._dead -= self._last.popleft()

    def reason(self) -> str | None:
        """Why the topic must stop, or None."""
        if self._run >= self.limits.in_a_row:
            return "in_a_row"
        if len(self._last) >= self.limits.least and self._dead > self.limits.share * len(self._last):
            return "share"
        return None
