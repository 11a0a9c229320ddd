"""What an episode was: its outcome, who answers for it, how long it took, whom it was with."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import cast

from ingest.contacts.episode import channel_of
from ingest.contacts.leg import CLOCK_SKEW_MS, Life
from ingest.contacts.model import Interaction, LegLine, Outcome, Standing
from ingest.normalise.model import Handles
from ingest.normalise.times import as_datetime

LONGEST_HAND_OVER_MS = 60_000
"""From one leg to the next, where nothing else says that the one follows from the other."""
ASKED_BY_PLATFORM = "asked_by_platform"
POINTS_AT_SOMEBODY = ("member_id", "contact_id", "phone", "email")


def judged(lives: Sequence[Life], *, episode: int, standing: Standing, stale: bool = False) -> Interaction:
    """`lives` in order of their begin. `stale`: the end was not told but waited for in vain."""
    told = [life for life in lives if not life.aside] or list(lives)
    frames = [life for life in told if life.frame]
    within = [life for life in told if not life.frame] or told
    own = [life for life in within if not _only_rang(life)] or within
    accountable = _last_human(told) or own[-1]
    human = accountable if accountable.human else None
    handles, handed_over = _handles(told), _handed_over(own, {life.leg for life in lives if life.aside})
    started = min(life.begin for life in told)
    return Interaction(
        episode=episode, standing=standing, started_at=as_datetime(started),
        ended_at=as_datetime(max(started, *(life.last if life.end is None else life.end for life in within))),
        received_at=as_datetime(max(life.settled_ms for life in lives)), clock_suspect=stale or any(life.suspect for life in told),
        wait_s=_waited(within), talk_s=_talked(own), hold_s=_sum(life.facts.get("hold_s") for life in own),
        transfers=sum(passed for life, passed in zip(own, handed_over, strict=True) if life.human),
        legs=tuple(_line(life, passed_on=passed) for life, passed in zip(own, handed_over, strict=True)),
        agent=human.facts.get("agent") if human else None, agent_name=human.facts.get("agent_name") if human else None,
        team=accountable.facts.get("team") or _last(told, "team"), queue=accountable.facts.get("queue") or _last(told, "queue"),
        outcome=outcome_of(told, stale=stale), purpose=_purpose(told, beside=lives), channel=channel_of(told),
        medium=_first(told, "medium"), direction=_direction(told), disconnect=_last([*own, *frames], "disconnect"),
        reason=_last(told, "reason"), language=_last(told, "language"), traits=_traits(told), handles=handles,
        needs_address=not any(name in handles for name in POINTS_AT_SOMEBODY),
    )  # fmt: skip


def outcome_of(lives: Sequence[Life], *, stale: bool) -> Outcome:
    """The first that fits. Abandoned: the customer came for a human and left without; nobody abandons a call we made."""
    if any(life.human for life in lives):
        return "handled"
    if any(life.facts.get("self_served") for life in lives):
        return "self_served"
    if any(life.facts.get("failed") for life in lives) or _direction(lives) == "outbound":
        return "failed"
    if any(life.queued is not None for life in lives):
        return "abandoned"
    if {life.facts["bot"] for life in lives if "bot" in life.facts} == {True} and not any(life.facts.get("rung") for life in lives):
        return "bot_only"
    if channel_of(lives) == "web":
        return "self_served"
    return "failed" if stale else "abandoned"


def _last_human(lives: Sequence[Life]) -> Life | None:
    """A whole knows that somebody handled it, its parts who. Whom an agent called in and outlasted was not the last with the customer."""
    humans = [life for life in lives if life.human]
    lasting = [life for life in humans if not any(_outlasts(other, life) for other in humans)]
    return max(lasting, key=lambda life: (not life.frame, life.connected or 0, life.begin, life.leg), default=None)


def _outlasts(life: Life, other: Life) -> bool:
    """Began before it and ended after it; not where the other one follows by its own word."""
    if life.end is None or other.end is None or life.frame or "previous_leg" in other.facts:
        return False
    return (life.connected or life.begin) < (other.connected or other.begin) and other.end + CLOCK_SKEW_MS < life.end


def _only_rang(life: Life) -> bool:
    return life.facts.get("rung", False) and life.connected is None


def _handed_over(lives: Sequence[Life], asides: Container[str]) -> list[bool]:
    """Of each leg, whether it was passed on: by its own word, by the next one's, or because the next one runs on from it."""
    named = {life.facts.get("previous_leg") for life in lives}
    following: list[Life | None] = [*lives[1:], None]
    passed = [life.transferred and life.facts.get("next_leg") not in asides for life in lives]
    return [said or life.leg in named or _runs_on(life, then) for said, life, then in zip(passed, lives, following, strict=True)]


def _runs_on(life: Life, then: Life | None) -> bool:
    if then is None or then.leg == life.leg or life.end is None or (then.human and _outlasts(life, then)):
        return False
    return then.begin <= life.end + LONGEST_HAND_OVER_MS


def _line(life: Life, *, passed_on: bool) -> LegLine:
    facts = life.facts
    return LegLine(
        agent=facts.get("agent") if life.human else None, agent_name=facts.get("agent_name") if life.human else None,
        team=facts.get("team"), queue=facts.get("queue"),
        from_=as_datetime(life.begin), to=None if life.end is None else as_datetime(life.end),
        end="transferred" if passed_on else facts.get("disconnect"),
    )  # fmt: skip


def _waited(lives: Sequence[Life]) -> int | None:
    """Not while somebody spoke: another line may have rung, or be said to have rung, all along."""
    measured = [life for life in lives if "wait_s" not in life.facts]
    waits = [span for life in measured if (span := _span(life.queued, life.end if life.connected is None else life.connected))]
    waited = _once([*waits, *(talks := _talks(lives))]) - _once(talks) if waits else None
    return _sum([*(life.facts.get("wait_s") for life in lives), None if waited is None else waited // 1000])


def _talked(lives: Sequence[Life]) -> int | None:
    measured = [life for life in lives if "talk_s" not in life.facts]
    talks, held = _talks(measured), sum(life.facts.get("hold_s", 0) for life in measured if life.human)
    return _sum([*(life.facts.get("talk_s") for life in lives), max(0, _once(talks) // 1000 - held) if talks else None])


def _talks(lives: Sequence[Life]) -> list[tuple[int, int]]:
    return [span for life in lives if life.human and (span := _span(life.connected, life.end))]


def _span(start: int | None, end: int | None) -> tuple[int, int] | None:
    return None if start is None or end is None or end < start else (start, end)


def _once(spans: Iterable[tuple[int, int]]) -> int:
    """How many ms they are, every moment counted once: two legs at the same time are not twice the customer's time."""
    length, until = 0, 0
    for start, end in sorted(spans):
        length += max(0, end - max(start, until))
        until = max(until, end)
    return length


def _sum(lengths: Iterable[int | None]) -> int | None:
    known = [seconds for seconds in lengths if seconds is not None]
    return sum(known) if known else None


def _first(lives: Sequence[Life], name: str) -> str | None:
    return next((cast("str", life.facts[name]) for life in lives if name in life.facts), None)  # type: ignore[literal-required]


def _last(lives: Sequence[Life], name: str) -> str | None:
    return _first(lives[::-1], name)


def _direction(lives: Sequence[Life]) -> str:
    return next((way for life in lives if (way := life.facts.get("direction", "unknown")) != "unknown"), "unknown")


def _purpose(lives: Sequence[Life], *, beside: Sequence[Life]) -> str:
    """One leg of ours makes the whole ours. What the platform itself asked the customer about, if only `beside` the contact, is not ours
    to ask about again."""
    ours = next((purpose for life in lives if (purpose := life.facts.get("purpose", "service")) != "service"), None)
    return ours or (ASKED_BY_PLATFORM if any(life.facts.get("rated") for life in beside) else "service")


def _traits(lives: Sequence[Life]) -> Mapping[str, str]:
    return {name: value for life in lives for name, value in sorted(life.facts.get("traits", {}).items())}


def _handles(lives: Sequence[Life]) -> Handles:
    """Whom the contact began with: a later leg's other end may be a third party that was called in."""
    handles: Handles = {}
    for life in reversed(lives):
        handles.update(life.handles)
    return handles
