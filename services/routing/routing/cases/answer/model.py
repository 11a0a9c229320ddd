"""An answer as this service keeps it: one per survey, of its highest revision."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.schemas import FeedbackScored


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one survey's answer. `feedback` is the whole message without its customer, kept only for an answer of a case.

    `score`, `band` and `counted` are those that count: a later uncounted answer does not take the counted one's place.
    """

    survey_id: UUID
    revision: int
    kind: str
    anchor: UUID
    score: int
    band: str
    counted: bool
    answered_at: datetime
    team: str | None = None
    channel: str | None = None
    customer_id: UUID | None = None
    case_id: UUID | None = None
    feedback: FeedbackScored | None = None


def answer_of(feedback: FeedbackScored, known: Answer | None, *, customer_id: UUID | None, case_id: UUID | None) -> Answer:
    """The row after this revision; it keeps the words only for a case."""
    contact = feedback.contact
    stays = known if known and known.counted and feedback.uncounted in ("late", "other_channel") else None
    counting = stays or feedback
    return Answer(
        survey_id=feedback.survey_id,
        revision=feedback.revision,
        kind=feedback.kind,
        anchor=feedback.anchor,
        score=counting.score,
        band=counting.band,
        counted=counting.counted,
        answered_at=counting.answered_at,
        team=contact.team if contact else None,
        channel=contact.channel if contact else None,
        customer_id=customer_id,
        case_id=case_id,
        feedback=feedback.model_copy(update={"customer": None}) if case_id else None,
    )
