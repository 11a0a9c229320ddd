"""An answer as the others hear of it, and where it is counted."""

from dataclasses import dataclass, replace
from uuid import UUID

from scoring.ask.model import Survey
from scoring.listen.model import Answer, Standing
from scoring.score.model import SCORING_VERSION, UNKNOWN, Counted, Place
from scoring.score.tally import day_of
from shared import nps
from shared.schemas import Contact, Customer, DecisionStory, FeedbackScored, Sealed

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Story:
    """What is told with an answer. `key` is the customer's present id, None where nobody knows the customer."""

    survey: Survey
    key: UUID | None
    customer: Customer | None
    contact: Contact | None
    decision: DecisionStory | None

    @property
    def of_somebody_forgotten(self) -> bool:
        """Whoever was asked was a customer; that nobody knows them now is their wish, and their words are not kept."""
        return self.survey.customer_id is not None and self.customer is None


def feedback_scored(story: Story, answer: Answer, comment: Sealed | None) -> FeedbackScored:
    survey = story.survey
    return FeedbackScored(
        survey_id=survey.id,
        revision=answer.revision,
        kind=survey.kind,
        anchor=survey.anchor,
        origin=OURS,
        score=answer.score,
        band=nps.band(answer.score),
        counted=answer.counted,
        uncounted=answer.uncounted,
        scoring_version=SCORING_VERSION,
        policy_version=survey.policy_version,
        decision_id=survey.decision_id,
        asked_by=survey.channel,
        answered_by=answer.answered_by,
        answered_at=answer.answered_at,
        amendable_until=answer.amendable_until,
        comment=comment,
        comment_language=answer.language if comment else None,
        resolved=answer.resolved,
        callback=answer.callback,
        callback_wish=answer.wish,
        cell=survey.cell,
        rate=survey.rate,
        decision=story.decision,
        asked_at=survey.sent_at or survey.asked_at,
        delivered_at=survey.delivered_at,
        contact=story.contact,
        customer=story.customer,
    )


def place_of(story: Story, answer: Answer, zone: str, *, known: Place | None) -> Place:
    """`known` is where an earlier version of this answer was counted: one who changed segment since stays where the answer was given."""
    day = day_of(answer.answered_at, zone)
    if known is not None:
        return replace(known, day=day)
    contact = story.contact
    return Place(
        day,
        story.survey.kind,
        contact.channel if contact else UNKNOWN,
        (story.customer.segment if story.customer else None) or UNKNOWN,
        (contact.moment if contact else None) or UNKNOWN,
        (contact.team if contact else None) or UNKNOWN,
    )


def counted(place: Place, answer: Answer) -> Counted | None:
    return Counted(place, nps.band(answer.score)) if answer.counted else None


def feedback_row(story: Story, standing: Standing, place: Place, *, comment: Sealed | None) -> dict[str, object]:
    """What stands, as the score's row."""
    answer, survey = standing.answer, story.survey
    return {
        "survey_id": survey.id,
        "kind": survey.kind,
        "anchor": survey.anchor,
        "origin": OURS,
        "score": answer.score,
        "band": nps.band(answer.score),
        "counted": answer.counted,
        "uncounted": answer.uncounted,
        "scoring_version": SCORING_VERSION,
        "policy_version": survey.policy_version,
        "revision": answer.revision,
        "published": standing.published,
        "answered_by": answer.answered_by,
        "answered_at": answer.answered_at,
        "amendable_until": answer.amendable_until,
        "comment": comment,
        "comment_language": answer.language,
        "resolved": answer.resolved,
        "callback": answer.callback,
        "callback_wish": list(answer.wish),
        "cell": survey.cell,
        "rate": survey.rate,
        "day": place.day.isoformat(),
        "channel": place.channel,
        "segment": place.segment,
        "moment": place.moment,
        "team": place.team,
    }
