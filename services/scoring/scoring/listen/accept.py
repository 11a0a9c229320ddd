"""What becomes of an answer. Pure: the survey's row is locked by the caller, `now` is the database's.

The first score closes the survey. For a while after it the same page or channel may change or complete the answer; what comes later, or by
another channel, is kept beside it and never counted. Words always reach the team.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scoring.listen.model import Accepted, Answer, Became, Said, Standing

PAGE = "page"
UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the survey matters here: when it went out, until when it is open, and for how long an answer may be changed."""

    asked_at: datetime
    expires_at: datetime | None
    amend_for: timedelta

    def moment(self, said: datetime | None, now: datetime) -> datetime:
        """When it was answered: what the writer says, but neither before the question nor in the future."""
        return min(max(said or now, self.asked_at), now)

    def has_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and at >= self.expires_at


def accept(asked: Asked, standing: Standing | None, said: Said, *, earlier: Iterable[Said] = ()) -> Accepted:
    """`earlier` are the partial answers so far, oldest first: their words go with the first score. `said` has its `asked.moment`."""
    if standing is None:
        return _first(asked, said, earlier)
    if said.channel == PAGE and standing.is_open(said.answered_at) and said.saw != standing.answer.revision:
        return Accepted(Became.STALE, standing)
    if not standing.is_open(said.answered_at) or asked.has_expired(said.answered_at):
        return _afterwards(standing, said)
    if said.channel not in (PAGE, standing.answer.answered_by):
        return _beside(standing, said, "other_channel")
    if said.channel != PAGE and said.answered_at < standing.answer.answered_at:
        return Accepted(Became.SUPERSEDED, standing)
    return _amend(standing, said)


def _first(asked: Asked, said: Said, earlier: Iterable[Said]) -> Accepted:
    if said.score is None:
        return Accepted(Became.PARTIAL, None)
    late = asked.has_expired(said.answered_at)
    blank = Answer(said.score, 1, said.channel, said.answered_at, said.answered_at + asked.amend_for, "late" if late else None)
    answer = blank
    for each in (*earlier, said):
        answer = _completed(answer, each)
    answer = replace(answer, score=said.score, answered_by=said.channel, answered_at=said.answered_at)
    return Accepted(Became.LATE if late else Became.FIRST, Standing(answer, 1), answer)


def _amend(standing: Standing, said: Said) -> Accepted:
    if said.score is None and not said.says_more and not _clears(standing.answer, said):
        return Accepted(Became.PARTIAL, standing)
    revision = standing.published + 1
    answer = replace(_completed(standing.answer, said), revision=revision, answered_at=said.answered_at)
    return Accepted(Became.AMENDED, Standing(answer, revision), answer)


def _afterwards(standing: Standing, said: Said) -> Accepted:
    """The score stays. Another score is kept as late; words are added to what stands."""
    if said.score is not None and said.score != standing.answer.score:
        return _beside(standing, said, "late")
    return _words(standing, said)


def _words(standing: Standing, said: Said) -> Accepted:
    """Said again word for word, they are there already."""
    if not said.says_more or (said.comment and said.comment in (standing.answer.comment or "")):
        return Accepted(Became.SUPERSEDED, standing)
    revision = standing.published + 1
    added = replace(said, score=None, comment=_joined(standing.answer.comment, said.comment))
    answer = replace(_completed(standing.answer, added), revision=revision)
    return Accepted(Became.WORDS, Standing(answer, revision), answer)


def _beside(standing: Standing, said: Said, uncounted: str) -> Accepted:
    """Kept next to what stands, and published as not counted, so that an unhappy customer is heard all the same."""
    if said.score is None:
        return _words(standing, said)
    revision = standing.published + 1
    blank = Answer(said.score, revision, said.channel, said.answered_at, standing.answer.amendable_until, uncounted)
    return Accepted(Became(uncounted), replace(standing, published=revision), _completed(blank, said))


def _completed(answer: Answer, said: Said) -> Answer:
    """The answer with everything that was said taken over."""
    callback = said.callback or answer.callback
    wish = answer.wish if said.wish is None else said.wish
    return replace(
        answer,
        score=answer.score if said.score is None else said.score,
        comment=answer.comment if said.comment is None else said.comment or None,
        resolved=said.resolved or answer.resolved,
        callback=callback,
        wish=wish if callback == "yes" else (),
        language=said.language or answer.language,
    )


def _clears(answer: Answer, said: Said) -> bool:
    return said.comment == "" and answer.comment is not None


def _joined(before: str | None, added: str | None) -> str | None:
    """None where nothing was added: it says nothing."""
    return "\n\n".join(part for part in (before, added) if part) if added else None
