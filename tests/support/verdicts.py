"""One JSON line a case, and the sum of them all as the last line of a run."""

import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Verdicts:
    """What the cases of this run found. `counted` names what makes a case fail and is added up."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    passed: dict[str, bool] = field(default_factory=dict)

    def say(self, case: str, *, events: int, lost: int, duplicates: dict[str, int], began: float, **more: Any) -> dict[str, Any]:
        """Print the line of a case and fail it where anything was lost or doubled."""
        seconds, doubled = round(time.monotonic() - began, 1), sum(duplicates.values())
        line = {"case": case, "events": events, "lost": lost, "duplicates": doubled, **duplicates, **more, "seconds": seconds}
        self.lines.append(line)
        print(f"\n{json.dumps(line)}", flush=True)
        assert lost == 0, line
        assert not any(duplicates.values()), line
        return line

    def sum(self) -> str:
        return json.dumps(
            {
                "cases": len(self.passed),
                "passed": sum(self.passed.values()),
                "events": sum(line["events"] for line in self.lines),
                "lost": sum(line["lost"] for line in self.lines),
                "duplicates": sum(line["duplicates"] for line in self.lines),
            }
        )


VERDICTS = Verdicts()
"""Of this run: tests add to it, the end of the run prints the sum."""
