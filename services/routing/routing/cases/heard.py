"""An answer as it is judged, and whether it is one that somebody should call about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from routing.cases.priority import Facts
from routing.cases.terms import Terms
from shared.schemas import Consent, Customer, FeedbackScored

RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer with what only the service can add: whose it is now, what they consent to, which critical words it has."""

    feedback: FeedbackScored
    words: tuple[str, ...] = ()
    customer_id: UUID | None = None
    customer: Customer | None = None
    consents: tuple[Consent, ...] = ()
    before_score: int | None = None

    @property
    def facts(self) -> Facts:
        said, contact = self.feedback, self.feedback.contact
        transfers, contacts = (contact.transfers, contact.contacts_7d) if contact else (0, 0)
        return Facts(said.score, said.resolved, said.callback, contacts_7d=contacts, transfers=transfers, words=self.words)

    @property
    def detail(self) -> dict[str, Any]:
        """What the history says of it: codes and numbers."""
        said = self.feedback
        uncounted = None if said.counted else said.uncounted or "other"
        told = {"survey_id": str(said.survey_id), "score": said.score, "before_score": self.before_score, "uncounted": uncounted}
        return {name: value for name, value in told.items() if value is not None}


def opens(heard: Heard, terms: Terms) -> bool:
    """Is this an answer somebody should call about? A recovery answer only for critical words or a wished call."""
    said, openers, contact = heard.feedback, terms.policy.openers, heard.feedback.contact
    if said.uncounted == "excluded":
        return False
    if (openers.words and heard.words) or (openers.wished_call and said.callback == "yes"):
        return True
    if said.kind == RECOVERY:
        return False
    return (
        (openers.detractor and said.band == "detractor")
        or (openers.unresolved and said.resolved == "no")
        or (openers.repeat_contact and heard.facts.contacts_7d >= terms.policy.repeat_contacts_from)
        or (contact is not None and contact.moment in openers.moments)
        or (heard.customer is not None and heard.customer.segment in openers.segments)
    )
