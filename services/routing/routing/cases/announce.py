"""What a case tells the others: every revision, and whether a call is wanted."""

from dataclasses import replace
from datetime import datetime

from routing.cases.model import Case, Moved, Reason, Route, State, Step
from routing.cases.policy import CasePolicy
from shared.schemas import By, CallbackChanged, CallbackRequested, PlatformRef, Window
from shared.schemas import Reason as SaidReason


def changed(case: Case, step: Step, *, platform_ref: PlatformRef | None = None) -> CallbackChanged:
    """A revision as the topic carries it: no words, no names."""
    return CallbackChanged(
        case_id=case.id,
        revision=step.revision,
        change=step.change,
        at=step.at,
        by=By(kind=step.by.kind, ref=step.by.ref),
        state=case.state.value,
        before=step.before.value if step.before else None,
        route=case.route.value,
        consent_basis=case.consent_basis,
        arm=case.arm,
        arm_rate=case.arm_rate,
        customer_id=case.customer_id,
        survey_ids=case.survey_ids,
        interaction_ids=case.interaction_ids,
        opened_at=case.opened_at,
        first_answered_at=case.first_answered_at,
        due_at=case.due_at,
        overdue=case.overdue,
        team=case.team,
        owner=case.owner,
        priority=case.priority,
        level=case.level.value,
        attempts=case.attempts,
        policy_version=case.policy_version,
        outcome=case.outcome,
        root_cause=case.root_cause,
        reached=case.reached,
        platform_ref=platform_ref,
    )


def wanted(case: Case) -> bool:
    """Should a dialer call? Not while a person has the case. While a dialer has it, the call is still wanted: of that one."""
    waits = case.owner is None and case.state in (State.OPEN, State.ATTEMPTING)
    return case.route is Route.CALL and (waits or (case.lease_until is not None and case.state in (State.ASSIGNED, State.ATTEMPTING)))


def asking(before: Case | None, moved: Moved) -> Moved:
    """The moved case with its request counted up where dialers must hear of it."""
    case = moved.case
    if not _must_hear(before, case):
        return moved
    heard = replace(case, request_revision=case.request_revision + 1, requested=wanted(case))
    return Moved(heard, moved.steps)


def _must_hear(before: Case | None, case: Case) -> bool:
    if not wanted(case):
        return case.requested
    if before is None or not case.requested:
        return True
    given_back = before.owner is not None and case.owner is None
    return given_back or _call(before) != _call(case)


def _call(case: Case) -> tuple[object, ...]:
    """What a dialer would do differently for."""
    return case.attempts, case.due_at, case.next_at, case.windows, case.priority, case.level, case.team


def requested(case: Case, policy: CasePolicy) -> CallbackRequested:
    """Thin on purpose: number, name and words come from the claim."""
    return CallbackRequested(
        case_id=case.id,
        revision=case.request_revision,
        standing="wanted" if case.requested else "withdrawn",
        customer_id=case.customer_id,
        team=case.team,
        skill=case.skill,
        language=case.language,
        priority=case.priority,
        reasons=tuple(_said(each) for each in case.reasons),
        level=case.level.value,
        due_at=case.due_at,
        windows=_from(case.next_at, case.windows),
        attempt=case.attempts + 1,
        attempts_max=policy.failed_tries,
        score=case.score,
        channel=case.channel,
        moment=case.moment,
        ended_at=case.ended_at,
        claim=f"/v1/dialer/cases/{case.id}/claim",
    )


def _from(moment: datetime | None, windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """What is left of the windows from a moment on: nobody is called before the time they named."""
    if moment is None:
        return windows
    return tuple(Window(from_=max(each.from_, moment), to=each.to) for each in windows if each.to > moment)


def _said(reason: Reason) -> SaidReason:
    return SaidReason(code=reason.code, points=reason.points)
