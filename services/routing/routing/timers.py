"""What falls due in routing."""

from routing.alerts.timers import ALERT_TIMERS
from routing.cases.timers import CASE_TIMERS
from routing.deps import Deps
from shared.runtime.timers import Leased, Timer

TIMERS: dict[str, Timer[Deps] | Leased[Deps]] = {**CASE_TIMERS, **ALERT_TIMERS}
