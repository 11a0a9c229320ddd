"""One line of the queue. It carries no name, number or words of the customer: a queue is seen over shoulders."""

from dataclasses import dataclass
from datetime import datetime

from routing.cases.model import Case, Level, Route, State
from routing.console import clock
from routing.console.look import Look
from routing.console.words import OUTCOMES, STATES, basis, counted, nth_contact, said


@dataclass(frozen=True, slots=True)
class Row:
    """`act` is claim, log, review or nothing; `taken`: somebody else has it, or nobody has to call any more (`done`)."""

    id: str
    number: int
    revision: int
    critical: bool
    due_at: datetime
    tone: str
    left: str
    due: str
    score: int
    who: str
    why: str
    window: str
    there: str
    owner: str
    owner_note: str
    taken: bool
    done: bool
    act: str | None


def row(case: Case, look: Look) -> Row:
    window, there = windows(case, look)
    owner, note = owned(case, look)
    waits = case.is_workable
    return Row(
        id=str(case.id),
        number=case.number,
        revision=case.revision,
        critical=case.level is Level.CRITICAL,
        due_at=case.due_at,
        tone=clock.tone(case.due_at, look.now) if waits else "",
        left=clock.left(case.due_at, look.now, zone=look.zone) if waits else STATES[case.state.value],
        due=f"due {clock.at(case.due_at, look.now, zone=look.zone)}" if waits else clock.at(case.changed_at, look.now, zone=look.zone),
        score=case.score,
        who=who(case),
        why=why(case),
        window=window,
        there=there,
        owner=owner,
        owner_note=note,
        done=not waits,
        taken=not waits or case.owner not in (None, look.by.ref),
        act=act(case, look),
    )


def who(case: Case) -> str:
    return f"Customer {case.customer.number}" if case.customer else "Customer not known"


def why(case: Case) -> str:
    """The priority in five words."""
    parts = [
        "critical words" if case.level is Level.CRITICAL else "",
        "not solved" if case.resolved == "no" else "",
        "asked for a call" if case.callback == "yes" else "",
        nth_contact(case.contacts_7d).lower(),
        counted(case.transfers, "transfer") if case.transfers >= 2 else "",
    ]
    told = [part for part in parts if part][:3]
    words = " · ".join([*told, said({"phone": "phone", "web": "web", "chat": "chat", "email": "e-mail"}, case.channel or "other")])
    return words[0].upper() + words[1:]


def windows(case: Case, look: Look) -> tuple[str, str]:
    """When calling is allowed and wished, in the time of whoever looks; and what time it is there."""
    if case.route is Route.REVIEW:
        return "No call", basis(case.consent_basis)
    if not case.is_workable:
        return said(OUTCOMES, case.outcome).capitalize(), ""
    there = clock.there(look.now, (case.customer.candidate_zones if case.customer else ()) or look.customer_zones)
    if case.next_at and case.next_at > look.now:
        return f"Call from {clock.at(case.next_at, look.now, zone=look.zone)}", there
    if current := clock.open_window(case.windows, look.now):
        return f"Call {clock.until(current, look.now, zone=look.zone)}", there
    if coming := clock.next_window(case.windows, look.now):
        return f"Call {clock.between(coming, look.now, zone=look.zone)}", there
    return "No hours left", there


def owned(case: Case, look: Look) -> tuple[str, str]:
    """Who has it, and the one thing worth knowing about that."""
    tries = f"{case.attempts} attempt{'s' if case.attempts != 1 else ''}" if case.attempts else ""
    if case.owner is None:
        return ("Nobody yet" if case.is_workable else "Done"), tries
    owner = look.named(case.owner, case.owner_name)
    if case.state is State.REACHED and case.reached_at:
        return owner, f"reached {clock.at(case.reached_at, look.now, zone=look.zone)}"
    if case.owner == look.by.ref or case.owner_since is None:
        return owner, tries
    return owner, f"claimed it {clock.ago(case.owner_since, look.now, zone=look.zone)}"


def act(case: Case, look: Look) -> str | None:
    """The one button of a row. Who may not call has none."""
    if not look.works_in(case.team) or not case.is_workable or case.route is Route.HOLD_OUT:
        return None
    if case.owner is None:
        return "claim"
    if case.owner != look.by.ref:
        return None
    return "review" if case.route is Route.REVIEW else "log"
