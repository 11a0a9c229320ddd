"""Surveys: the decision to ask, the answer, its score."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from shared.nps import Band
from shared.schemas.fields import (
    Answered,
    Code,
    Count,
    Detail,
    Draw,
    Flag,
    Id,
    Language,
    Name,
    PlatformRef,
    Rate,
    Revision,
    Score,
    Sealed,
    Verdict,
    When,
    Window,
    Words,
    YesNo,
)
from shared.schemas.interactions import Contact
from shared.schemas.message import Message, Value
from shared.schemas.people import Customer

DecisionOutcome = Literal["invited", "deferred", "suppressed", "withdrawn"]


class SurveyDecided(Message):
    """Whether we ask, and why. `verdicts` stand in the order of that policy version's rules; `reason` is the first that failed."""

    TYPE: ClassVar[str] = "aftercall.survey-decided.v1"

    decision_id: Id
    revision: Revision
    kind: Code
    anchor: Id
    interaction_revision: Revision | None = None
    customer_id: Id | None = None
    outcome: DecisionOutcome
    reason: Code
    phase: Literal["decide", "send", "offer"]
    verdicts: tuple[tuple[Verdict, Detail], ...]
    policy_version: Count
    decided_at: When
    cell: str | None = None
    draw: Draw | None = None
    rate: Rate | None = None
    survey_id: Id | None = None
    channel: Code | None = None
    send_at: When | None = None
    retry_at: When | None = None


class SurveyAnswered(Message):
    """An answer given somewhere else. `text` is read for a score and for opt-out words ("9 great", "STOP")."""

    TYPE: ClassVar[str] = "aftercall.survey-answered.v1"

    answer_id: Name
    survey_id: Id | None = None
    token: Name | None = None
    contact: PlatformRef | None = None
    address: Name | Sealed | None = None
    channel: Code
    score: Score | None = None
    text: Words | None = None
    comment: Words | Sealed | None = None
    resolved: YesNo | None = None
    callback: YesNo | None = None
    callback_wish: tuple[Window, ...] = ()
    answered_at: When | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def names_one_survey_and_says_one_thing(self) -> Self:
        if sum(given is not None for given in (self.survey_id, self.token, self.contact, self.address)) != 1:
            raise ValueError("give exactly one of survey_id, token, contact, address")
        if (self.score is None) == (self.text is None):
            raise ValueError("give exactly one of score, text")
        return self


class DecisionStory(Value):
    """Why this customer was asked, with the rules named in full."""

    outcome: DecisionOutcome
    reason: Code
    draw: Draw | None = None
    rate: Rate | None = None
    verdicts: tuple[tuple[Code, Verdict, Detail], ...]


class FeedbackScored(Message):
    """An answer with a score; the highest revision wins. `uncounted` says why it is not counted; `callback_wish` is in UTC."""

    TYPE: ClassVar[str] = "aftercall.feedback-scored.v1"

    survey_id: Id
    revision: Revision
    kind: Code
    anchor: Id
    origin: Code
    score: Score
    band: Band
    counted: Flag
    uncounted: Code | None = None
    scoring_version: Count
    policy_version: Count | None = None
    decision_id: Id | None = None
    asked_by: Code | None = None
    answered_by: Code
    answered_at: When
    amendable_until: When
    comment: Sealed | None = None
    comment_language: Language | None = None
    resolved: Answered
    callback: Answered
    callback_wish: tuple[Window, ...] = ()
    cell: str | None = None
    rate: Rate | None = None
    decision: DecisionStory | None = None
    asked_at: When | None = None
    delivered_at: When | None = None
    contact: Contact | None = None
    customer: Customer | None = None
