"""The decision: every rule is asked, the first that says no is the reason."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from scoring.decide.case import Case
from scoring.decide.model import ELIGIBLE, Asked, Decision, Facts, Finding, Outcome, Phase
from scoring.decide.policy import Policy
from scoring.decide.rules import reason, rules_named


def decide(facts: Facts, history: Iterable[Asked], *, policy: Policy, now: datetime, phase: Phase = "decide") -> Decision:
    """What to do about this anchor, now. At sending the same rules are asked again: no then means `withdrawn`, and a later polite
    moment moves `send_at`. Nothing but the arguments is looked at."""
    case, rules = Case(facts, history, policy=policy, phase=phase, now=now), policy.terms.rules
    verdicts = tuple([rule(case) for rule in rules_named(rules)])
    outcome, why = _conclude(case, verdicts)
    invited = outcome is Outcome.INVITED
    return Decision(
        outcome=outcome,
        reason=why,
        phase=phase,
        verdicts=verdicts,
        policy_version=policy.version,
        draw=case.draw if "sampling" in rules else None,
        way=case.way if invited else None,
        send_at=(case.send_at if "hours" in rules else case.after_blackouts) if invited else None,
        retry_at=min(now + timedelta(seconds=policy.terms.retry_s), facts.give_up_at) if outcome is Outcome.DEFERRED else None,
    )


def _conclude(case: Case, verdicts: tuple[Finding, ...]) -> tuple[Outcome, str]:
    missing: str | None = None
    for name, (verdict, _) in zip(case.terms.rules, verdicts, strict=True):
        if verdict == "fail":
            return _refusal(case), reason(name)
        if verdict == "unknown" and missing is None:
            missing = reason(name)
    if missing is None:
        return Outcome.INVITED, ELIGIBLE
    waits = case.phase == "decide" and case.now < case.facts.give_up_at
    return (Outcome.DEFERRED if waits else _refusal(case)), missing


def _refusal(case: Case) -> Outcome:
    return Outcome.WITHDRAWN if case.phase == "send" else Outcome.SUPPRESSED
