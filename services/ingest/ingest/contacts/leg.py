"""From a contact's events to the lives of its legs, whatever order they came in.

A leg's id may live more than once: a thread comes back, or a platform names the whole contact where one agent takes over
from another. Each life is a `Life`; all that follows speaks of lives only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter

from ingest.contacts.model import StoredEvent
from ingest.contacts.seen import Seen, order, seen
from ingest.normalise.model import Facts, Handles, Kind

CLOCK_SKEW_MS = 5_000
"""Two clocks of one platform may differ so much: what starts so shortly after the end still belongs before it."""

_ENDING = (Kind.ENDED, Kind.TRANSFERRED)
_MS = timedelta(milliseconds=1)


@dataclass(slots=True)  # not frozen, for the time it takes to make; nobody changes one
class Life:
    """One leg from its begin to its end, in epoch ms. `end` None: still going on.

    `human`: a person spoke on it. `transferred`: it said that another leg follows, and `awaits` that this is its last word.
    `presumed`: that it ended only the next one says. `settled_ms` is when we knew as much as we do of its begin and end, by the
    database's clock.
    """

    leg: str
    begin: int
    end: int | None
    last: int
    connected: int | None
    queued: int | None
    human: bool
    transferred: bool
    awaits: bool
    settled_ms: int
    last_received_ms: int
    suspect: bool
    facts: Facts
    handles: Handles
    presumed: bool = False

    @property
    def aside(self) -> bool:
        return self.facts.get("aside", False) and self.connected is None

    @property
    def frame(self) -> bool:
        return self.facts.get("frame", False)

    @property
    def framed(self) -> bool:
        return self.facts.get("framed", False) and not self.frame

    @property
    def order(self) -> tuple[int, str]:
        return self.begin, self.leg


def lives_of(events: Iterable[StoredEvent], *, ahead: timedelta, gap: timedelta) -> list[Life]:
    """Every leg's lives in order of their begin. An event given twice counts once; of a leg's records only the newest does."""
    by_leg: dict[str, list[Seen]] = defaultdict(list)
    ahead_ms, gap_ms = ahead // _MS, gap // _MS
    for event in {event.id.int: event for event in events}.values():
        by_leg[event.leg].append(seen(event, ahead_ms))
    lives = [life for leg, told in by_leg.items() for life in _lives_of_leg(leg, told, gap_ms)]
    return sorted(_ended_by_successors(lives), key=attrgetter("order"))


def _lives_of_leg(leg: str, told: list[Seen], gap_ms: int) -> list[Life]:
    ordered = _newest_record_last(sorted(told, key=order))
    if any(one.facts.get("lives_once", False) for one in ordered):
        return [_life(leg, ordered)]
    lives = [_life(leg, group) for group in _split(ordered, gap_ms)]
    return [_ended_at(life, then.begin) for life, then in pairwise(lives)] + lives[-1:]


def _newest_record_last(ordered: list[Seen]) -> list[Seen]:
    """A record tells the whole leg: it has the last word over events, and a newer one over an older."""
    records = [one for one in ordered if one.facts.get("record", False)]
    if not records:
        return ordered
    newest = max(records, key=lambda one: (one.facts.get("version", ""), one.event.id.int))
    return [one for one in ordered if not one.facts.get("record", False)] + [newest]


class _Group:
    """The events of one life as they are gathered, in order of time."""

    def __init__(self, first: Seen, *, took_over: bool) -> None:
        self.events = [first]
        self.began_ms = first.ms
        self.took_over = took_over
        self.ended_ms: int | None = None
        self.transferred = False
        self.agent: str | None = None
        self._note(first)

    def add(self, one: Seen) -> None:
        self.events.append(one)
        self._note(one)

    def is_over_before(self, one: Seen, gap_ms: int) -> bool:
        """Whether this event begins another life: nothing but an end can still be said of a leg that is over. Of visits to the web
        ends are all that is told: one after the gap is another visit's, by whatever id."""
        kind = one.kind
        if kind in _ENDING:
            return self.ended_ms is not None and one.ms > self.ended_ms + gap_ms and one.facts.get("self_served", False)
        if self.transferred:
            return True
        if self.ended_ms is not None:
            return kind is Kind.REOPENED or one.ms > self.ended_ms + CLOCK_SKEW_MS
        return kind is Kind.CONNECTED and self.agent is not None and one.facts.get("agent", self.agent) != self.agent

    def is_told_of_the_one_before(self, one: Seen) -> bool:
        """A transfer in the very moment in which another agent took over is the end of the agent before."""
        return self.took_over and one.kind is Kind.TRANSFERRED and one.ms == self.began_ms

    def _note(self, one: Seen) -> None:
        kind = one.kind
        self.transferred = self.transferred or kind is Kind.TRANSFERRED
        if kind is Kind.ENDED and self.ended_ms is None:
            self.ended_ms = one.ms
        if kind is Kind.CONNECTED:
            self.agent = one.facts.get("agent", self.agent)


def _split(ordered: Sequence[Seen], gap_ms: int) -> list[list[Seen]]:
    """Where a leg's id begins to live again: after its end, or when another agent takes over."""
    groups: list[_Group] = []
    for one in ordered:
        if not groups:
            groups.append(_Group(one, took_over=False))
        elif groups[-1].is_over_before(one, gap_ms):
            groups.append(_Group(one, took_over=groups[-1].ended_ms is None and not groups[-1].transferred))
        elif groups[-1].is_told_of_the_one_before(one):
            groups[-2].add(one)
        else:
            groups[-1].add(one)
    return [group.events for group in groups]


def _life(leg: str, told: Sequence[Seen]) -> Life:
    facts, handles = _merged(told)
    times, received = [one.ms for one in told], [one.received_ms for one in told]
    heard_of_end = [one.received_ms for one in told if one.kind in _ENDING]
    first = _first_of_each(told)
    end = _end(first, facts)
    connected = facts.get("connected_ms", first.get(Kind.CONNECTED))
    started = facts.get("started_ms", times[0])
    if "thread_ms" in facts and Kind.ENDED in first and len(first) == 1:
        started = facts["thread_ms"]
    begin = min(*times, started, times[0] if end is None else end)
    transferred = Kind.TRANSFERRED in first
    return Life(
        leg=leg, begin=begin, end=end, last=max(*times, begin if end is None else end),
        connected=connected, queued=facts.get("queued_ms", first.get(Kind.QUEUED)), transferred=transferred,
        human=_is_handled(told, facts, connected),
        awaits=transferred and ("next_leg" in facts or Kind.ENDED not in first),
        settled_ms=max(min(received), min(heard_of_end, default=0)),
        last_received_ms=max(received), suspect=True in [one.suspect for one in told], facts=facts, handles=handles,
    )  # fmt: skip


def _first_of_each(told: Iterable[Seen]) -> dict[Kind, int]:
    """When a step was told of first."""
    first: dict[Kind, int] = {}
    for one in told:
        if one.ms < first.get(one.kind, one.ms + 1):
            first[one.kind] = one.ms
    return first


def _is_handled(told: Iterable[Seen], facts: Facts, connected: int | None) -> bool:
    if facts.get("unanswered", False):
        return False
    return facts.get("handled", False) or (connected is not None and _is_with_a_human(told, facts))


def _is_with_a_human(told: Iterable[Seen], facts: Facts) -> bool:
    """A bot that spoke first, or was named at the end, does not make a bot of the agent who took over from it."""
    if not facts.get("bot", False):
        return True
    return any(one.kind is Kind.CONNECTED and "agent" in one.facts and not one.facts.get("bot", False) for one in told)


def _merged(told: Sequence[Seen]) -> tuple[Facts, Handles]:
    """What was said last of each fact."""
    facts: Facts = {}
    handles: Handles = {}
    traits: dict[str, str] = {}
    for one in told:
        facts.update(one.facts)
        handles.update(one.event.handles)
        if "traits" in one.facts:
            traits.update(one.facts["traits"])
    if traits:
        facts["traits"] = traits
    return facts, handles


def _end(first: Mapping[Kind, int], facts: Facts) -> int | None:
    """The first `ended`; a mere transfer ends the leg too."""
    told = first.get(Kind.ENDED, first.get(Kind.TRANSFERRED))
    return None if told is None else facts.get("ended_ms", told)


def _ended_by_successors(lives: list[Life]) -> list[Life]:
    """A leg that another names as the one before is over, even if the event that said so was lost."""
    successors: dict[str, Life] = {}
    for life in lives:
        if previous := life.facts.get("previous_leg"):
            successors[previous] = min(life, successors.get(previous, life), key=lambda one: (not one.aside, one.order))
    return [_succeeded(life, successors[life.leg]) if life.leg in successors else life for life in lives]


def _succeeded(life: Life, by: Life) -> Life:
    """An agent may only have called in another, and still be with the customer; a flow after hang-up comes when both are gone."""
    if life.end is not None:
        return life
    return replace(_ended_at(life, by.begin), transferred=not by.aside, presumed=life.human and not by.aside)


def _ended_at(life: Life, ms: int) -> Life:
    """Handed over at that moment, unless it had ended by itself."""
    if life.end is not None:
        return life
    end = max(life.begin, ms)
    return replace(life, end=end, last=max(life.last, end), transferred=True)
