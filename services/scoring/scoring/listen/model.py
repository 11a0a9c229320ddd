"""What an answer says, and what stands for a survey."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scoring.score.model import Place
from shared.schemas import Window


class Became(StrEnum):
    """What became of an answer. Every one is kept, whatever it became."""

    FIRST = "first"
    AMENDED = "amended"
    WORDS = "words"
    PARTIAL = "partial"
    LATE = "late"
    OTHER_CHANNEL = "other_channel"
    SUPERSEDED = "superseded"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Said:
    """One form or message, as read. None says nothing about a field, an empty comment or wish clears it.

    `saw` is the revision a page form was made from (0: none yet); a message has none. `channel` is page, sms, ivr, chat or email.
    """

    channel: str
    answered_at: datetime
    score: int | None = None
    comment: str | None = None
    resolved: str | None = None
    callback: str | None = None
    wish: tuple[Window, ...] | None = None
    language: str | None = None
    saw: int | None = None

    @property
    def says_more(self) -> bool:
        """Anything beside a score."""
        return bool(self.comment) or self.resolved is not None or self.callback is not None or bool(self.wish)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it stands or is published. `resolved` and `callback` are yes, no or unanswered."""

    score: int
    revision: int
    answered_by: str
    answered_at: datetime
    amendable_until: datetime
    uncounted: str | None = None
    comment: str | None = None
    resolved: str = "unanswered"
    callback: str = "unanswered"
    wish: tuple[Window, ...] = ()
    language: str | None = None

    @property
    def counted(self) -> bool:
        return self.uncounted is None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for a survey that has a score. `published`: the highest revision given out, also of answers that changed nothing here."""

    answer: Answer
    published: int

    def is_open(self, at: datetime) -> bool:
        """May the answer still be changed?"""
        return at <= self.answer.amendable_until


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands, and where it is counted."""

    standing: Standing
    place: Place


@dataclass(frozen=True, slots=True)
class Accepted:
    """`standing`: what stands from now on; `published`: what to tell the others, if anything."""

    became: Became
    standing: Standing | None
    published: Answer | None = None

    @property
    def moves(self) -> bool:
        """Does what stands change?"""
        return self.published is not None and self.standing is not None and self.standing.answer is self.published
