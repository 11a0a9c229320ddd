"""The decision: every rule is asked, the first that says no is the reason."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from scoring.decide.case import Case
from scoring.decide.model import ELIGIBLE, Asked, Decision, Facts, Finding, Outcome, Phase
from scoring.decide.policy import Policy
from scoring.decide.rules import RULES, reason


def decide(facts: Facts, history: Iterable[Asked], *, policy: Policy, now: datetime, phase: Phase = "decide") -> Decision:
    """What to do about this anchor, now. At sending the same rules are asked again: no then means `withdrawn`, and a later polite
    moment moves `send_at`. Nothing but the arguments is looked at."""
    case = Case(facts, tuple(history), policy, phase, now)
    findings = tuple(RULES[name](case) for name in policy.terms.rules)
    outcome, why = _conclude(case, findings)
    drawn = case.draw if "sampling" in policy.terms.rules else None
    return Decision(
        outcome=outcome,
        reason=why,
        phase=phase,
        findings=findings,
        policy_version=policy.version,
        draw=drawn,
        way=case.way if outcome is Outcome.INVITED else None,
        send_at=(case.send_at if "hours" in policy.terms.rules else case.after_blackouts) if outcome is Outcome.INVITED else None,
        retry_at=min(now + timedelta(seconds=policy.terms.retry_s), facts.give_up_at) if outcome is Outcome.DEFERRED else None,
    )


def _conclude(case: Case, findings: tuple[Finding, ...]) -> tuple[Outcome, str]:
    failed = _first(case.policy, findings, verdict="fail")
    if failed:
        return _refusal(case), failed
    missing = _first(case.policy, findings, verdict="unknown")
    if missing is None:
        return Outcome.INVITED, ELIGIBLE
    waits = case.phase == "decide" and case.now < case.facts.give_up_at
    return (Outcome.DEFERRED if waits else _refusal(case)), missing


def _refusal(case: Case) -> Outcome:
    return Outcome.WITHDRAWN if case.phase == "send" else Outcome.SUPPRESSED


def _first(policy: Policy, findings: tuple[Finding, ...], *, verdict: str) -> str | None:
    return next((reason(name) for name, found in zip(policy.terms.rules, findings, strict=True) if found.verdict == verdict), None)
