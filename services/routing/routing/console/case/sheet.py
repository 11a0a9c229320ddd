"""A case as its page shows it: head, clock, life, what was said, the call, the points, what may be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.cases.answer.model import Answer
from routing.cases.model import Case, Level, Route, State, Step
from routing.cases.moves import TABLE, Move
from routing.cases.policy import CasePolicy
from routing.console import clock
from routing.console.look import Look
from routing.console.queue.row import who
from routing.console.words import ANSWERED, CONTACTS, STATES, basis, reason, said

LIFE = (State.OPEN, State.ASSIGNED, State.ATTEMPTING, State.REACHED, State.RESOLVED, State.CLOSED)
_LEVELS = {Level.NORMAL: "Normal", Level.HIGH: "High", Level.CRITICAL: "Critical"}
_CALLS = {"yes": "Yes", "no": "No", "unanswered": "Not answered"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One state in the life of a case."""

    words: str
    note: str
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """One answer, with the customer's words: they stand on the case and nowhere else."""

    note: str
    score: int
    band: str
    before: int | None
    comment: str | None
    solved: str
    call: str
    counted: bool


@dataclass(frozen=True, slots=True)
class Calling:
    """`kind`: open (call now), shut (hours open later), never (no call), over (nothing left to call)."""

    kind: str
    tag: str
    note: str
    ending: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    number: int
    id: str
    revision: int
    who: str
    lead: str
    level: str
    alarming: bool
    left: str
    due_at: datetime | None
    due_note: str
    tone: str
    mine: bool
    owner: str | None
    workable: bool
    state: str
    points: tuple[tuple[str, int], ...]
    priority: int
    policy_version: int


def sheet(case: Case, policy: CasePolicy, look: Look) -> Sheet:
    left, due_note = _clock(case, policy, look)
    return Sheet(
        number=case.number,
        id=str(case.id),
        revision=case.revision,
        who=who(case),
        lead=_lead(case, look),
        level=f"{_LEVELS[case.level]}, {case.priority}",
        alarming=case.level is not Level.NORMAL,
        left=left,
        due_at=case.due_at if case.is_workable else None,
        due_note=due_note,
        tone=clock.tone(case.due_at, look.now) if case.is_workable else "",
        mine=case.owner == look.by.ref,
        owner=look.named(case.owner, case.owner_name) if case.owner else None,
        workable=case.is_workable,
        state=case.state.value,
        points=tuple((_reason(each.code, case), each.points) for each in case.reasons),
        priority=case.priority,
        policy_version=case.policy_version,
    )


def _reason(code: str, case: Case) -> str:
    return reason(code, contacts=case.contacts_7d, transfers=case.transfers, score=case.score)


def _lead(case: Case, look: Look) -> str:
    when = clock.at(case.ended_at, look.now, zone=look.zone) if case.ended_at else ""
    ended = f" {'on' if ' ' in when else 'at'} {when}" if when else ""
    contact = f" after {CONTACTS.get(case.channel, 'a contact')}{ended}" if case.channel else ""
    solved = {"no": ", not solved", "yes": ", solved"}.get(case.resolved, "")
    return f"Scored {case.score}{contact}{solved}. {look.team(case.team)}."


def _clock(case: Case, policy: CasePolicy, look: Look) -> tuple[str, str]:
    if not case.is_workable:
        return STATES[case.state.value], clock.at(case.changed_at, look.now, zone=look.zone)
    due = clock.at(case.due_at, look.now, zone=look.zone)
    promise = (
        clock.span(round(policy.due_in(case.level) / clock.MINUTE))
        .replace(" h", " business hours")
        .replace("1 business hours", "1 business hour")
    )
    return clock.left(case.due_at, look.now, zone=look.zone), f"due {due}, {promise} after the answer"


def stages(case: Case, history: Sequence[Step], look: Look) -> list[Stage]:
    """The states of a plain life; another end takes the place of what was not reached any more."""
    life = LIFE if case.state in LIFE else (*(state for state in LIFE if _reached(state, history)), case.state)
    current = life.index(case.state)
    return [
        Stage(STATES[state.value], _when(state, case, history=history, look=look), i < current, i == current)
        for i, state in enumerate(life)
    ]


def _reached(state: State, history: Sequence[Step]) -> bool:
    return any(step.state is state for step in history)


def _when(state: State, case: Case, *, history: Sequence[Step], look: Look) -> str:
    entered = next((step for step in reversed(history) if step.state is state and step.before is not state), None)
    if entered is None or (state in LIFE and case.state in LIFE and LIFE.index(state) > LIFE.index(case.state)):
        return ""
    at = clock.at(entered.at, look.now, zone=look.zone)
    if state is State.ASSIGNED:
        return f"{look.named(str(entered.detail.get('owner')), str(entered.detail.get('owner_name') or '')).replace('You', 'you')}, {at}"
    tries = f"{case.attempts} attempt{'s' if case.attempts != 1 else ''}"
    return tries if state is State.ATTEMPTING else at


def spoken(answers: Sequence[tuple[Answer, str | None]], history: Sequence[Step], look: Look) -> list[Spoken]:
    """Newest last; a corrected score shows what it was before."""
    return [_spoken(answer, comment, before=_first_score(answer, history), look=look) for answer, comment in answers]


def _spoken(answer: Answer, comment: str | None, *, before: int | None, look: Look) -> Spoken:
    told = answer.feedback
    by = f", {said(ANSWERED, told.answered_by)}" if told else ""
    return Spoken(
        note=f"{clock.at(answer.answered_at, look.now, zone=look.zone)}{by}",
        score=told.score if told else answer.score,
        band=told.band if told else answer.band,
        before=before,
        comment=comment,
        solved=_CALLS[told.resolved] if told else _CALLS["unanswered"],
        call=_call(told.callback, [(each.from_, each.to) for each in told.callback_wish], look) if told else _CALLS["unanswered"],
        counted=told.counted if told else answer.counted,
    )


def _call(answered: str, wish: Sequence[tuple[datetime, datetime]], look: Look) -> str:
    times = [f"{clock.at(start, look.now, zone=look.zone)} to {clock.local(end, look.zone):%H:%M}" for start, end in wish[:3]]
    return f"{_CALLS[answered]}, {' or '.join(times)}" if times else _CALLS[answered]


def _first_score(answer: Answer, history: Sequence[Step]) -> int | None:
    details = [step.detail for step in history if step.detail.get("survey_id") == str(answer.survey_id)]
    before = next((detail["before_score"] for detail in details if isinstance(detail.get("before_score"), int)), None)
    return before if isinstance(before, int) and answer.feedback and before != answer.feedback.score else None


def calling(case: Case, look: Look, *, ending: str | None) -> Calling:
    """May somebody call now, and until when?"""
    there = clock.there(look.now, (case.customer.candidate_zones if case.customer else ()) or look.customer_zones)
    if case.route is not Route.CALL:
        return Calling("never", "Review, no call", basis(case.consent_basis), None)
    if not case.is_workable:
        return Calling("over", STATES[case.state.value], "Nothing is left to call about.", None)
    current = clock.open_window(case.windows, look.now)
    if current:
        return Calling("open", f"Callable {clock.until(current, look.now, zone=look.zone)}", f"{there}." if there else "", ending)
    coming = clock.next_window(case.windows, look.now)
    opens = f"Opens {clock.at(coming.from_, look.now, zone=look.zone)}" if coming else "No calling hours left"
    return Calling("shut", opens, f"{there}. The number and the form open with the calling hours." if there else "", ending)


def may(case: Case, look: Look, *, moves: bool) -> Mapping[str, bool]:
    """Which buttons this person has; the table of moves has the last word."""
    mine, free = case.owner == look.by.ref, case.owner is None
    held_out = case.route is Route.HOLD_OUT
    return {
        "claim": look.works_in(case.team) and case.is_workable and free and not held_out,
        "log": look.works_in(case.team) and case.is_workable and mine and case.route is Route.CALL,
        "review": moves and case.is_workable and case.state is not State.OPEN and case.route is Route.REVIEW and (mine or look.leads),
        "finish": moves and case.state is State.REACHED and case.route is Route.CALL and (mine or look.leads),
        "release": moves and case.is_workable and not free and (mine or look.leads),
        "assign": look.leads and case.is_workable and not held_out,
        "close": look.leads and case.state is State.RESOLVED,
        "reopen": moves and case.state in TABLE[Move.REOPEN],
    }
