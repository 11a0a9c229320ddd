"""Named places where a test may end the process or hold it up: off unless AFTERCALL_FAILPOINTS names them.

`AFTERCALL_FAILPOINTS="scoring.after_db_commit=kill@every:97,ingest.before_db_commit=block:20@3"`: SIGKILL at every 97th passing; at the
third, twenty seconds in which nothing else of this process runs.
"""

import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass

_FORM = re.compile(r"(?P<name>[\w.]+)=(kill|block:(?P<seconds>\d+))@(?P<every>every:)?(?P<count>[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class _Rule:
    """`seconds` to stand still; none: the end of the process."""

    every: bool
    count: int
    seconds: int | None

    def fires(self, passing: int) -> bool:
        return passing % self.count == 0 if self.every else passing == self.count


def parse(text: str) -> dict[str, _Rule]:
    """Raises ValueError for what is not `name=kill@[every:]N` or `name=block:SECONDS@[every:]N`."""
    rules = {}
    for part in filter(None, text.split(",")):
        found = _FORM.fullmatch(part.strip())
        if not found:
            raise ValueError(f"AFTERCALL_FAILPOINTS: {part!r} is not of the form name=kill@N, name=kill@every:N or name=block:SECONDS@N")
        seconds = None if found["seconds"] is None else int(found["seconds"])
        rules[found["name"]] = _Rule(every=bool(found["every"]), count=int(found["count"]), seconds=seconds)
    return rules


_RULES = parse(os.environ.get("AFTERCALL_FAILPOINTS", ""))
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Kill this process here, as kill -9 would, or block it, if the environment says so."""
    if _RULES and (rule := _RULES.get(name)):
        _passed[name] += 1
        if rule.fires(_passed[name]):
            if rule.seconds is None:
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                time.sleep(rule.seconds)
