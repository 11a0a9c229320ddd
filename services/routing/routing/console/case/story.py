"""The whole story of a case, from the contact to now, oldest first: what `feedback.scored` carried and every revision since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.alerts.model import Alert
from routing.cases.answer.model import Answer
from routing.cases.model import Attempt, Step
from routing.console import clock
from routing.console.look import Look
from routing.console.words import BEGUN, CAUSES, CHANNELS, ENDS, OUTCOMES, RULES, VERDICTS, counted, nth_contact, said
from shared.schemas import Contact, FeedbackScored, Leg


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the story: `strong` is its first words. `rules` are the verdicts of a decision, each in words."""

    at: datetime
    strong: str
    rest: str = ""
    notes: tuple[str, ...] = ()
    key: bool = False
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it stands on the page, with its clock."""

    label: str
    event: Event


def lines(
    answers: Sequence[Answer],
    history: Sequence[Step],
    *,
    tries: Mapping[str, tuple[Attempt, str | None]],
    alerts: Iterable[Alert],
    look: Look,
    policy_version: int,
) -> list[Line]:
    """`tries` by attempt id, each with its note."""
    told = [event for answer in answers if answer.feedback for event in _of_answer(answer.feedback, look)]
    steps = [_of_step(step, tries, look, policy_version=policy_version) for step in history]
    events = sorted([*told, *steps, *(_of_alert(alert, look, since=history[0].at) for alert in alerts)], key=lambda event: event.at)
    first = clock.local(events[0].at, look.zone).date() if events else None
    return [Line(_label(event.at, first, look), event) for event in events]


def _label(at: datetime, first: object, look: Look) -> str:
    there = clock.local(at, look.zone)
    return there.strftime("%H:%M") if there.date() == first else f"{there.day} {there:%b %H:%M}"


def _of_answer(said_is: FeedbackScored, look: Look) -> Iterator[Event]:
    if said_is.contact:
        yield from _of_contact(said_is.contact, look)
    if said_is.decision and said_is.contact:
        yield _asked(said_is)
    if said_is.asked_at:
        yield _sent(said_is)
    yield Event(said_is.answered_at, *_answered(said_is), key=True)


def _of_contact(contact: Contact, look: Look) -> Iterator[Event]:
    minutes = max(1, round((contact.ended_at - contact.started_at) / clock.MINUTE))
    parts = [clock.span(minutes), *([counted(len(contact.legs), "leg")] if len(contact.legs) > 1 else [])]
    legs = tuple(_leg(each) for each in contact.legs)
    begun = said(BEGUN, contact.channel).capitalize() if contact.direction != "outbound" else "We called"
    yield Event(contact.started_at, begun, ", " + ", ".join(parts), notes=legs)
    whom = [name for name in (_agent(contact), look.team(contact.team) if contact.team else None) if name]
    again = nth_contact(contact.contacts_7d)
    attributed = f", attributed to {', '.join(whom)}" if whom else ""
    yield Event(contact.ended_at, "Contact complete", attributed, notes=(f"{again}.",) if again else ())


def _leg(leg: Leg) -> str:
    seconds = int((leg.to - leg.from_).total_seconds()) if leg.from_ and leg.to else None
    length = clock.lasted(seconds) if seconds is not None and seconds >= 0 else None
    return (
        ", ".join(part for part in (leg.queue, leg.agent_name or leg.agent, length, said(ENDS, leg.end)) if part)
        or "A part nobody described"
    )


def _agent(contact: Contact) -> str | None:
    """Whom it is attributed to, by name where a leg says it."""
    named = next((leg.agent_name for leg in contact.legs if leg.agent == contact.agent and leg.agent_name), None)
    return named or contact.agent


def _asked(said_is: FeedbackScored) -> Event:
    decision, contact = said_is.decision, said_is.contact
    assert decision is not None
    assert contact is not None
    passed = sum(verdict == "pass" for _, verdict, _ in decision.verdicts)
    of = f"all {passed}" if passed == len(decision.verdicts) else f"{passed} of {len(decision.verdicts)}"
    policy = f"policy {said_is.policy_version}, " if said_is.policy_version else ""
    drawn = f", draw {decision.draw:.2f} under {decision.rate:.2f}" if decision.draw is not None and decision.rate is not None else ""
    rules = tuple(f"{said(RULES, rule)}: {VERDICTS[verdict]}" for rule, verdict, _ in decision.verdicts)
    return Event(max(contact.ended_at, contact.received_at), "Asked", f": {policy}{of} rules passed{drawn}", rules=rules)


def _sent(said_is: FeedbackScored) -> Event:
    assert said_is.asked_at is not None
    after = said_is.delivered_at - said_is.asked_at if said_is.delivered_at else None
    delivered = f", delivered {_after(after)} later" if after is not None and after >= timedelta(0) else ""
    return Event(said_is.asked_at, f"{said(CHANNELS, said_is.asked_by).capitalize()} sent".replace("Sms", "SMS"), delivered)


def _after(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 90 else clock.span(round(seconds / 60))


def _answered(said_is: FeedbackScored) -> tuple[str, str]:
    parts = [
        {"no": "not solved", "yes": "solved"}.get(said_is.resolved, ""),
        {"yes": "wants a call", "no": "wants no call"}.get(said_is.callback, ""),
        "" if said_is.counted else "not counted",
    ]
    again = "Asked again and answered" if said_is.kind == "recovery" else "Answered"
    return f"{again} {said_is.score}", "".join(f", {part}" for part in parts if part)


def _of_alert(alert: Alert, look: Look, *, since: datetime) -> Event:
    """Its own, or one that was running when the case opened, at `since`."""
    to = f" to {look.team(alert.team)}"
    if alert.opened_at < since:
        return Event(since, "Alert", f"{to}, together with others")
    if alert.first_sent_at is None:
        return Event(alert.opened_at, "Alert", f"{to}, in the console")
    return Event(alert.first_sent_at, "Alert", f"{to}, {_after(alert.first_sent_at - alert.opened_at)} later")


def _of_step(step: Step, tries: Mapping[str, tuple[Attempt, str | None]], look: Look, *, policy_version: int) -> Event:
    who = look.named(step.by.ref, step.by.name)
    if "attempt_id" in step.detail:
        return _tried(step, tries.get(str(step.detail["attempt_id"])), who)
    strong, rest = _moved(step, who, policy_version=policy_version, look=look)
    return Event(step.at, strong, rest, key=step.change == "assigned")


def _tried(step: Step, tried: tuple[Attempt, str | None] | None, who: str) -> Event:
    outcome = said(OUTCOMES, str(step.detail.get("outcome", "")))
    if tried is None:
        return Event(step.at, f"{who} called", f", {outcome}")
    attempt, note = tried
    length = attempt.ended_at - attempt.started_at if attempt.ended_at else None
    lasted = f", {clock.lasted(int(length.total_seconds()))}" if length is not None and length >= timedelta(0) else ""
    return Event(step.at, f"{who} called", f", {outcome}{lasted}", notes=(note,) if note else (), key=outcome == "reached")


def _moved(step: Step, who: str, *, policy_version: int, look: Look) -> tuple[str, str]:
    score = step.detail.get("score")
    to = look.named(str(step.detail.get("owner", "")), str(step.detail.get("owner_name") or "")).replace("You", "you")
    given = f"{who} claimed it" if step.detail.get("owner") == step.by.ref else f"{who} gave it to {to}"
    cause = f", {said(CAUSES, str(step.detail['root_cause'])).lower()}" if step.detail.get("root_cause") else ""
    told = {
        "opened": ("Case opened", f" by policy {policy_version}"),
        "joined": ("Another answer joined the case", f", {score}"),
        "raised": ("Raised", f" after the answer became {score}"),
        "corrected": ("Answer changed", f" to {score}"),
        "noted": ("Noted", f": the answer is now {score}" if score is not None else ""),
        "assigned": (given, ""),
        "released": ("Given back", ", the dialer told no outcome in time") if step.by.kind == "system" else (f"{who} gave it back", ""),
        "resolved": ("Resolved", f" by {who.replace('You', 'you')}{cause}"),
        "closed": ("Closed", " after nothing new came" if step.by.kind == "system" else f" by {who.replace('You', 'you')}"),
        "reopened": ("Reopened", " by another answer" if step.by.kind == "system" else f" by {who.replace('You', 'you')}"),
        "escalated": ("Due time passed", ", nobody had reached the customer"),
        "unreachable": ("Given up as unreachable", ""),
        "declined": ("Declined", ""),
        "expired": ("Expired", ", nobody finished it in time"),
        "merged": ("Merged", f" into case {step.detail.get('into', '')}"),
        "erased": ("Erased", " at the customer's wish"),
    }
    if step.detail.get("route") == "review":
        return "No call any more", ": this case is for review"
    return told.get(step.change, (said({}, step.change).capitalize(), ""))
