"""Which lives of a contact's legs make one episode, and which number it bears."""

from collections.abc import Sequence
from datetime import timedelta

from ingest.contacts.leg import Life
from ingest.contacts.model import KnownEpisode, Patience
from ingest.normalise.times import as_ms


def episodes_of(lives: Sequence[Life], patience: Patience) -> list[list[Life]]:
    """Lives, in order of their begin, parted where one begins later than the gap after everything before has ended.

    A leg whose end never came counts as ended when its stale limit has passed.
    """
    gap = _ms(patience.gap)
    episodes: list[list[Life]] = []
    until = 0
    for life in lives:
        if not episodes or life.begin > until + gap:
            episodes.append([])
        episodes[-1].append(life)
        until = max(until, life.last + (_ms(stale_of(episodes[-1], patience)) if life.end is None else 0))
    return episodes


def numbers_of(episodes: Sequence[Sequence[Life]], known: KnownEpisode | None, patience: Patience) -> list[int]:
    """Counted from 0, or so that the episode already known keeps its number."""
    if known is None:
        return list(range(len(episodes)))
    started = as_ms(known.started_at)
    anchor = next((at for at, lives in enumerate(episodes) if max(life.last for life in lives) + _ms(patience.gap) >= started), None)
    first = known.episode - (len(episodes) if anchor is None else anchor)
    if anchor is not None and episodes[anchor][0].begin > started + _ms(patience.gap):
        first += 1
    return list(range(first, first + len(episodes)))


def channel_of(lives: Sequence[Life]) -> str:
    return next((channel for life in lives if (channel := life.facts.get("channel"))), "other")


def stale_of(lives: Sequence[Life], patience: Patience) -> timedelta:
    """A thread lives for days, whatever channel it began on: a ticket of a call is not over with the call."""
    stale = patience.stale_of(channel_of(lives))
    return max(stale, patience.stale_of("chat")) if any("thread_ms" in life.facts for life in lives) else stale


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
