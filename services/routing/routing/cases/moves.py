"""The one table of moves, and each move as a function: a case in, the case after it and its revisions out, or a refusal that says why."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from routing.cases.dial import voice_refs
from routing.cases.model import SYSTEM, WORKABLE, Attempt, By, Case, Moved, Outcome, Route, State, revised
from routing.cases.policy import CasePolicy
from routing.errors import AnotherIsOpen, Claimed, NextCallMissing, NobodyHasIt, NotForCalls, NotInTable, NotYours


class Move(StrEnum):
    ASSIGN = "assign"
    RELEASE = "release"
    FAIL = "fail"
    REACH = "reach"
    CALL_LATER = "call_later"
    DECLINE = "decline"
    RESOLVE = "resolve"
    REVIEW = "review"
    CLOSE = "close"
    REOPEN = "reopen"
    GIVE_UP = "give_up"
    EXPIRE = "expire"
    MERGE = "merge"
    ERASE = "erase"


def _all_to(state: State, *sources: State) -> dict[State, State]:
    return dict.fromkeys(sources or WORKABLE, state)


TABLE: Mapping[Move, Mapping[State, State]] = {
    Move.ASSIGN: {**_all_to(State.ASSIGNED, State.OPEN, State.ASSIGNED), State.ATTEMPTING: State.ATTEMPTING, State.REACHED: State.REACHED},
    Move.RELEASE: {State.ASSIGNED: State.OPEN, State.ATTEMPTING: State.ATTEMPTING, State.REACHED: State.REACHED},
    Move.FAIL: {**_all_to(State.ATTEMPTING, State.OPEN, State.ASSIGNED, State.ATTEMPTING), State.REACHED: State.REACHED},
    Move.REACH: _all_to(State.REACHED),
    Move.CALL_LATER: _all_to(State.ATTEMPTING),
    Move.DECLINE: _all_to(State.DECLINED),
    Move.RESOLVE: {State.REACHED: State.RESOLVED},
    Move.REVIEW: _all_to(State.RESOLVED, State.ASSIGNED, State.ATTEMPTING, State.REACHED),
    Move.CLOSE: {State.RESOLVED: State.CLOSED},
    Move.REOPEN: _all_to(State.OPEN, State.RESOLVED, State.CLOSED, State.UNREACHABLE, State.DECLINED, State.EXPIRED),
    Move.GIVE_UP: {State.ATTEMPTING: State.UNREACHABLE},
    Move.EXPIRE: _all_to(State.EXPIRED),
    Move.MERGE: _all_to(State.MERGED, *WORKABLE, State.RESOLVED),
    Move.ERASE: _all_to(State.ERASED, *(state for state in State if state is not State.ERASED)),
}
"""Move → state before → state after. REVIEW is how a case that may not be called ends: somebody has read it and done what was needed."""

_BY_OUTCOME: Mapping[str, Move] = {
    Outcome.REACHED: Move.REACH,
    Outcome.RESCHEDULE: Move.CALL_LATER,
    Outcome.DECLINED: Move.DECLINE,
    Outcome.DO_NOT_CALL: Move.DECLINE,
}
"""Everything else, also an outcome we do not know, is a failed try."""


def after(case: Case, move: Move) -> State:
    """The state a move leads to; refused when the table has no such move."""
    target = TABLE[move].get(case.state)
    if target is None:
        raise NotInTable(move.value, case.state.value, sorted(state.value for state in TABLE[move]))
    return target


def ended(at: datetime) -> dict[str, Any]:
    """What any end of a case clears: nothing falls due any more and nobody owns it."""
    falls_due = ("overdue_on", "expires_on", "unreachable_on", "closes_on", "lease_until", "next_at")
    return {"ended_case_at": at, **dict.fromkeys(falls_due)}


_NO_OWNER: dict[str, Any] = {"owner": None, "owner_name": None, "owner_since": None, "lease_until": None}


def claim(case: Case, by: By, *, at: datetime, lease_until: datetime | None = None) -> Moved:
    """Take a case that nobody has, a dialer until its lease is over. Taking one's own again changes nothing."""
    if case.owner == by.ref:
        return Moved(case)
    if case.owner is not None:
        raise Claimed(case.owner_name or case.owner, at=case.owner_since)
    return assign(case, by, by=by, at=at, lease_until=lease_until)


def assign(case: Case, owner: By, *, by: By, at: datetime, lease_until: datetime | None = None) -> Moved:
    """Give a case to somebody, also away from somebody else."""
    state = after(case, Move.ASSIGN)
    if case.route is Route.HOLD_OUT:
        raise NotForCalls(case.route.value, case.consent_basis)
    detail = {"owner": owner.ref, "owner_name": owner.name}
    has = {"owner": owner.ref, "owner_name": owner.name, "owner_since": at, "lease_until": lease_until}
    return revised(case, "assigned", at=at, by=by, detail=detail, state=state, **has)


def release(case: Case, by: By, *, at: datetime, for_others: bool) -> Moved:
    """Give a case back; somebody else's only where `for_others`."""
    state = after(case, Move.RELEASE)
    if case.owner is None:
        raise NobodyHasIt
    if case.owner != by.ref and not for_others:
        raise NotYours(case.owner_name or case.owner)
    return revised(case, "released", at=at, by=by, state=state, **_NO_OWNER)


def lapse(case: Case, *, at: datetime) -> Moved:
    """A dialer had the case for the time of its lease and told no outcome: anybody may take it."""
    state = after(case, Move.RELEASE)
    return revised(case, "released", at=at, by=SYSTEM, detail={"reason": "lease_over"}, state=state, **_NO_OWNER)


def attempt(case: Case, tried: Attempt, policy: CasePolicy, *, at: datetime) -> Moved:
    """A try to call; the try of a dialer that has the case gives it back. After the end it is only noted; reached and solved in one is two
    revisions."""
    if not case.is_workable:
        return note(case, tried.by, policy, at=at, detail=_tried(tried))
    move = _BY_OUTCOME.get(tried.outcome, Move.FAIL)
    changes = {
        "state": after(case, move),
        "attempts": case.attempts + 1,
        "outcome": tried.outcome,
        "root_cause": tried.root_cause or case.root_cause,
        "first_attempt_at": case.first_attempt_at or tried.started_at,
        **(_NO_OWNER if _had_by(case, tried.by) else {}),
        **_CONSEQUENCES[move](case, tried, policy, at),
    }
    moved = revised(case, "attempted", at=at, by=tried.by, detail=_tried(tried), **changes)
    if move is Move.REACH and tried.resolved:
        return moved.then(resolve(moved.case, tried.by, policy, at=at, root_cause=tried.root_cause))
    return moved


def _had_by(case: Case, dialer: By) -> bool:
    """Its outcome may come by topic, where a dialer goes by the name of its key as well."""
    return case.lease_until is not None and dialer.ref in (case.owner, case.owner_name)


def _tried(tried: Attempt) -> dict[str, Any]:
    said = {"attempt_id": tried.attempt_id, "outcome": tried.outcome, "root_cause": tried.root_cause, "resolved": tried.resolved}
    return {name: value for name, value in said.items() if value is not None}


def _failed(case: Case, tried: Attempt, policy: CasePolicy, _: datetime) -> dict[str, Any]:
    first = case.first_failed_at or tried.started_at
    count = case.failed_attempts + 1
    changes: dict[str, Any] = {"failed_attempts": count, "first_failed_at": first, "next_at": tried.next_at}
    if count >= policy.failed_tries and case.state is not State.REACHED:
        changes["unreachable_on"] = first + timedelta(seconds=policy.failed_span_s)
        if tried.started_at >= changes["unreachable_on"]:
            changes |= {**ended(tried.started_at), "state": State.UNREACHABLE}
    return changes | (_wrong_number(case) if tried.outcome == Outcome.WRONG_NUMBER else {})


def _wrong_number(case: Case) -> dict[str, Any]:
    """The number called is dropped; with none left there is nobody to call."""
    refs = voice_refs(case.customer, dropped=case.dropped_refs, preferred=case.point_ref)
    dropped = {"dropped_refs": (*case.dropped_refs, *refs[:1])}
    return dropped if len(refs) > 1 else {**dropped, "route": Route.REVIEW, "consent_basis": "no_number", "windows": ()}


def _reached(_: Case, tried: Attempt, __: CasePolicy, ___: datetime) -> dict[str, Any]:
    return {
        "reached": True,
        "reached_at": tried.started_at,
        "failed_attempts": 0,
        "first_failed_at": None,
        "next_at": None,
        "overdue_on": None,
        "unreachable_on": None,
    }


def _call_later(case: Case, tried: Attempt, policy: CasePolicy, _: datetime) -> dict[str, Any]:
    """The customer spoke to us and named a time: that time is the new promise."""
    if tried.next_at is None or tried.next_at <= tried.started_at or (case.expires_on and tried.next_at >= case.expires_on):
        raise NextCallMissing
    due = max(case.due_at, tried.next_at + timedelta(seconds=policy.reschedule_grace_s))
    kept = {"failed_attempts": 0, "first_failed_at": None, "unreachable_on": None, "overdue": False}
    return {**kept, "reached": True, "reached_at": tried.started_at, "next_at": tried.next_at, "due_at": due, "overdue_on": due}


def _declined(_: Case, tried: Attempt, __: CasePolicy, at: datetime) -> dict[str, Any]:
    changes = {**ended(at), "reached": True, "reached_at": tried.started_at}
    if tried.outcome == Outcome.DO_NOT_CALL:
        changes |= {"route": Route.REVIEW, "consent_basis": "refused", "windows": ()}
    return changes


_CONSEQUENCES = {Move.FAIL: _failed, Move.REACH: _reached, Move.CALL_LATER: _call_later, Move.DECLINE: _declined}


def resolve(case: Case, by: By, policy: CasePolicy, *, at: datetime, root_cause: str | None = None) -> Moved:
    """Solved. A case that may not be called is resolved by whoever reviewed it."""
    state = after(case, Move.REVIEW if case.route is Route.REVIEW else Move.RESOLVE)
    cause = root_cause or case.root_cause
    due = {**ended(at), "ended_case_at": None, "closes_on": at + timedelta(seconds=policy.close_s)}
    return revised(
        case, "resolved", at=at, by=by, detail={"root_cause": cause} if cause else {}, state=state, resolved_at=at, root_cause=cause, **due
    )


def close(case: Case, by: By, *, at: datetime) -> Moved:
    return revised(case, "closed", at=at, by=by, state=after(case, Move.CLOSE), **ended(at))


def reopen(case: Case, by: By, policy: CasePolicy, *, at: datetime, due_at: datetime, other_open: int | None) -> Moved:
    """Open again, owed to nobody in particular, due anew; refused while another case of the customer is open."""
    state = after(case, Move.REOPEN)
    if other_open is not None:
        raise AnotherIsOpen(other_open)
    return revised(case, "reopened", at=at, by=by, state=state, **fresh(policy, at=at, due_at=due_at))


def fresh(policy: CasePolicy, *, at: datetime, due_at: datetime) -> dict[str, Any]:
    """A case that starts over: no owner, no failed tries, new dues."""
    return {
        **_NO_OWNER,
        **ended(at),
        "ended_case_at": None,
        "resolved_at": None,
        "failed_attempts": 0,
        "first_failed_at": None,
        "overdue": False,
        "due_at": due_at,
        "overdue_on": due_at,
        "expires_on": at + timedelta(seconds=policy.expire_s),
    }


def mark_overdue(case: Case, *, at: datetime) -> Moved:
    """The due time has passed and the customer was not reached."""
    return revised(case, "escalated", at=at, by=SYSTEM, detail={"reason": "overdue"}, overdue=True, overdue_on=None)


def note(case: Case, by: By, policy: CasePolicy, *, at: datetime, detail: dict[str, Any]) -> Moved:
    """Something was said or done that moves nothing; a resolved case waits anew before it closes."""
    return revised(case, "noted", at=at, by=by, detail=detail, closes_on=closes_on(case, policy, at=at))


def closes_on(case: Case, policy: CasePolicy, *, at: datetime) -> datetime | None:
    return at + timedelta(seconds=policy.close_s) if case.state is State.RESOLVED else None


def to_review(case: Case, *, at: datetime, basis: str) -> Moved:
    """No call may be made any more; somebody reads the case instead."""
    return revised(
        case, "noted", at=at, by=SYSTEM, detail={"route": "review", "basis": basis}, route=Route.REVIEW, consent_basis=basis, windows=()
    )
