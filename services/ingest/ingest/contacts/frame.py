"""Legs that stand for a whole contact, and the legs within them.

Some platforms name, beside each agent's part, the whole: a customer's session, a task, the caller's own line. What is beside
such a frame is within it: over only when the whole is, however often it is handed on, and ended with it at the latest, even
if its own end was lost.
"""

from collections.abc import Sequence
from dataclasses import replace

from ingest.contacts.leg import Life

WHOLE_SECOND_MS = 1_000
"""Records and logs write no parts of seconds."""


def within_frames(lives: Sequence[Life]) -> list[Life]:
    """The same lives, in the same order; those within a frame await no other leg, for the frame says when all is over."""
    lives = _without_hearsay(_without_outlines(lives))
    frames = [life for life in lives if life.frame]
    return [_within(life, frames) if frames and not life.frame else life for life in lives]


def lacks_frame(lives: Sequence[Life]) -> bool:
    """Whether something was heard of a part, and nothing yet of its whole."""
    return any(life.framed for life in lives) and not any(life.frame for life in lives)


def _without_outlines(lives: Sequence[Life]) -> Sequence[Life]:
    """A leg told twice counts once: as its better source tells it, with the outline for a frame. An outline that is a frame is
    told better by anything within it."""
    outlines = [life for life in lives if life.facts.get("outline", False)]
    if not outlines:
        return lives
    better = [life for life in lives if life not in outlines]
    return [_framing(life) if life in outlines and _is_told_by(life, better) else life for life in lives]


def _is_told_by(outline: Life, better: Sequence[Life]) -> bool:
    if outline.frame:
        return bool(better)
    return "queue" in outline.facts and any(_is_same_stay(outline, life) for life in better)


def _is_same_stay(outline: Life, life: Life) -> bool:
    """In one queue, and not after it: who was handed a call out of the queue is still told of under the queue's name."""
    if life.facts.get("queue") != outline.facts["queue"]:
        return False
    return life.end is None or outline.begin <= life.begin or outline.begin < life.end - WHOLE_SECOND_MS


def _without_hearsay(lives: Sequence[Life]) -> Sequence[Life]:
    """What is said of an agent counts where no agent's own leg tells of one: that leg's end is then when the agent came."""
    hearsay = [life for life in lives if life.facts.get("hearsay", False)]
    if not hearsay:
        return lives
    if any(life.human and life not in hearsay for life in lives):
        return [replace(life, human=False) if life in hearsay else life for life in lives]
    return [replace(life, connected=life.end, end=None) if life in hearsay and life.human else life for life in lives]


def _framing(life: Life) -> Life:
    return replace(life, facts={**life.facts, "frame": True}, human=False)


def _within(life: Life, frames: Sequence[Life]) -> Life:
    """Of several frames, such as a call and the callback asked for in it, the latest begun before the part did."""
    inside = replace(life, awaits=False, presumed=False)
    frame = max((one for one in frames if one.begin <= life.begin), key=lambda one: one.order, default=frames[0])
    if life.end is not None or frame.end is None:
        return inside
    end = max(life.begin, frame.end)
    return replace(inside, end=end, last=max(life.last, end))
