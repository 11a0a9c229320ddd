"""One contact's way through the product, as its topics tell it, and what the demo counts. Values in, values out."""

from dataclasses import dataclass, field
from datetime import datetime

from deploy.demo.emission import Contact
from deploy.demo.people import Person
from shared.schemas import CallbackChanged, FeedbackScored, InteractionCompleted, SurveyDecided
from shared.schemas.message import Message

TOPICS = ("interactions.completed", "survey.decisions", "feedback.scored", "callbacks.changed")
STEPS = {
    "told": "Contact ends",
    "joined": "Ingest joins the legs",
    "decided": "Scoring decides",
    "sent": "The message arrives",
    "answered": "You answer",
    "case": "Case and alert",
    "solved": "Called back, solved",
    "asked_again": "Asked again",
    "recovered": "Answered again",
}
HINTS = {
    "joined": "Complete two seconds after its last leg",
    "decided": "Nineteen rules, all evaluated",
    "sent": "Into the development inbox",
    "answered": "Try 2, not solved, call me",
    "case": "For 6 or less, at once",
    "solved": "Claim it in the queue",
    "asked_again": "Two weeks later; twenty seconds here",
    "recovered": "The second answer is the recovery",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`seconds` since the contact's last event; None while it has not happened."""

    name: str
    title: str
    note: str
    seconds: float | None
    current: bool = False


@dataclass(slots=True)
class Journey:
    """Follows one contact."""

    contact: Contact
    person: Person
    begun: datetime
    marks: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    interaction_id: object = None
    case_id: object = None
    over: str = ""

    def mark(self, name: str, note: str, *, at: datetime) -> None:
        """The first time counts; the newest words do."""
        self.marks[name] = (self.marks[name][0] if name in self.marks else at, note)

    def saw(self, message: Message, *, at: datetime) -> None:
        match message:
            case InteractionCompleted() if (message.platform, message.account, message.ref) == self._named():
                self.interaction_id = message.interaction_id
                legs = "One leg" if len(message.legs) == 1 else f"{len(message.legs)} legs"
                self.mark("joined", f"{legs}, {message.outcome.replace('_', ' ')}", at=at)
            case SurveyDecided(kind="tnps") if message.anchor == self.interaction_id:
                self._decided(message, at=at)
            case SurveyDecided(kind="recovery", outcome="invited") if message.anchor == self.case_id:
                self.mark("asked_again", "Is it better now?", at=at)
            case FeedbackScored(kind="tnps") if message.anchor == self.interaction_id:
                self.mark("answered", f"{message.score}, {message.band}", at=at)
            case FeedbackScored(kind="recovery") if message.anchor == self.case_id:
                self.mark("recovered", f"{message.score}, {message.band}", at=at)
            case CallbackChanged() if self.interaction_id in (message.interaction_ids or ()):
                self._case_changed(message, at=at)
            case _:
                pass  # of another contact

    def steps(self) -> list[Step]:
        told = Step("told", STEPS["told"], f"{self.contact.title}, {len(self.contact.emissions)} events", 0.0)
        found = [told, *(self._step(name) for name in STEPS if name != "told")]
        waiting = next((number for number, step in enumerate(found) if step.seconds is None), None)
        if waiting is not None and not self.over:
            step = found[waiting]
            found[waiting] = Step(step.name, step.title, step.note, None, current=True)
        return found

    def _named(self) -> tuple[str, str, str]:
        return self.contact.platform, self.contact.account, self.contact.ref

    def _step(self, name: str) -> Step:
        if name not in self.marks:
            return Step(name, STEPS[name], HINTS[name], None)
        at, note = self.marks[name]
        return Step(name, STEPS[name], note, max(0.0, (at - self.begun).total_seconds()))

    def _decided(self, message: SurveyDecided, *, at: datetime) -> None:
        asked = message.outcome == "invited"
        self.over = "" if asked or message.outcome == "deferred" else f"Not asked: {message.reason.replace('_', ' ')}"
        self.mark("decided", "Ask" if asked else f"{message.outcome}: {message.reason}", at=at)

    def _case_changed(self, message: CallbackChanged, *, at: datetime) -> None:
        self.case_id = message.case_id
        self.mark("case", f"Team {message.team}, {message.level} priority {message.priority}", at=at)
        if message.state in ("resolved", "closed"):
            self.mark("solved", f"After {message.attempts} call{'' if message.attempts == 1 else 's'}", at=at)


@dataclass(slots=True)
class Counts:
    """What happened since the demo started. A second revision of the same thing is no second thing."""

    contacts: set[object] = field(default_factory=set)
    asked: set[object] = field(default_factory=set)
    answered: set[object] = field(default_factory=set)
    cases: set[object] = field(default_factory=set)

    def saw(self, message: Message) -> None:
        match message:
            case InteractionCompleted():
                self.contacts.add(message.interaction_id)
            case SurveyDecided(kind="tnps", outcome="invited"):
                self.asked.add(message.anchor)
            case FeedbackScored(kind="tnps"):
                self.answered.add(message.survey_id)
            case CallbackChanged():
                self.cases.add(message.case_id)
            case _:
                pass  # not counted

    def shown(self) -> dict[str, int]:
        return {"contacts": len(self.contacts), "asked": len(self.asked), "answered": len(self.answered), "cases": len(self.cases)}
