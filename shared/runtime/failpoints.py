"""Named places where a test may end the process: off unless AFTERCALL_FAILPOINTS names them.

`AFTERCALL_FAILPOINTS="scoring.after_db_commit=kill@every:97,relay.after_ack=kill@3"`: SIGKILL at every 97th passing, at the third.
"""

import os
import signal
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Rule:
    every: bool
    count: int

    def fires(self, passing: int) -> bool:
        return passing % self.count == 0 if self.every else passing == self.count


def parse(text: str) -> dict[str, _Rule]:
    """Raises ValueError for what is not `name=kill@[every:]N`."""
    rules = {}
    for part in filter(None, text.split(",")):
        name, _, action = part.strip().partition("=kill@")
        kind, _, count = action.rpartition(":")
        if not name or kind not in ("", "every") or not count.isdigit() or int(count) < 1:
            raise ValueError(f"AFTERCALL_FAILPOINTS: {part!r} is not of the form name=kill@N or name=kill@every:N")
        rules[name] = _Rule(every=kind == "every", count=int(count))
    return rules


_RULES = parse(os.environ.get("AFTERCALL_FAILPOINTS", ""))
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Kill this process here, as kill -9 would, if the environment says so."""
    if _RULES and (rule := _RULES.get(name)):
        _passed[name] += 1
        if rule.fires(_passed[name]):
            os.kill(os.getpid(), signal.SIGKILL)
