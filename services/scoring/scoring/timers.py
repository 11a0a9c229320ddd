"""What falls due in scoring."""

from collections.abc import Mapping

from scoring.ask.sending.timers import claim_sendings, record_sending, send
from scoring.ask.timers import judge_deferred, judge_recoveries
from scoring.deps import Deps
from scoring.listen.erasure.handle import CARRIED
from shared.runtime import forgetting
from shared.runtime.timers import Leased, Timer

TIMERS: Mapping[str, Timer[Deps] | Leased[Deps]] = {
    "deferred decisions": Timer(judge_deferred),
    "recovery decisions": Timer(judge_recoveries),
    "sending": Leased(claim_sendings, send, record_sending),
    "searching for the erased": forgetting.searching("scoring", carried=CARRIED),
}
