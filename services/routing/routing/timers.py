"""What falls due in routing."""

from routing.cases.timers import CASE_TIMERS
from routing.deps import Deps
from shared.runtime.timers import Timer

TIMERS: dict[str, Timer[Deps]] = {**CASE_TIMERS}
