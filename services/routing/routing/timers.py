"""What falls due in routing."""

from routing.alerts.timers import ALERT_TIMERS
from routing.cases.customer.erasure.handle import CARRIED
from routing.cases.timers import CASE_TIMERS
from routing.deps import Deps
from shared.runtime import forgetting
from shared.runtime.timers import Leased, Timer

TIMERS: dict[str, Timer[Deps] | Leased[Deps]] = {
    **CASE_TIMERS,
    **ALERT_TIMERS,
    "searching_for_the_erased": forgetting.searching("routing", carried=CARRIED),
}
