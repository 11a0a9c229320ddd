"""What reading a payload yields: events in our words, or why there is none.

Personal values stand only in `Handles`; everything in `Facts` may rest in plain text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict


class Kind(StrEnum):
    """The step of a contact that an event tells of. `TRANSFERRED` ends a leg and says that another follows."""

    STARTED = "started"
    QUEUED = "queued"
    CONNECTED = "connected"
    TRANSFERRED = "transferred"
    ENDED = "ended"
    REOPENED = "reopened"


class Handles(TypedDict, total=False):
    """What identifies the customer, as the platform wrote it. Personal: seal it wherever it rests."""

    member_id: str
    contact_id: str
    phone: str
    email: str
    name: str
    language: str
    postal_code: str


class Facts(TypedDict, total=False):
    """What one event says of its leg, as JSON. Times are epoch milliseconds, UTC; lengths are whole seconds.

    A missing key says nothing. `lives_once` means that this leg's id never lives twice, so whatever comes after its
    end, by an odd clock, still belongs before it. `aside` marks a leg that runs beside the customer's contact, such as a
    flow after hang-up. `frame` marks one that stands for the whole contact, or the customer's side of it, and `framed` one
    that is a part of such: the whole says when it is over. `rung` marks an agent's line, which only rang unless it was
    connected; `outline` a leg that another source may tell better: beside a leg of the same queue told so, it is a frame.
    `bot` False says that this leg was on its way to a person, `handled` that one took care of it, whenever that was, `unanswered`
    that whoever of ours was on it spoke with nobody, because the customer never was. `hearsay` marks a leg whose `handled` is
    said of an agent with a leg of their own: it counts only where that one is not told of. `rated` says that the platform itself
    asked the customer how it was. `thread_ms` is when the thread began that this is the latest life of: believed where nothing
    but its end was told. `clock` holds why the event's own time is missing or doubtful.
    """

    version: str
    record: bool
    lives_once: bool
    aside: bool
    frame: bool
    framed: bool
    rung: bool
    outline: bool
    clock: str
    channel: str
    medium: str
    direction: str
    purpose: str
    agent: str
    agent_name: str
    team: str
    queue: str
    reason: str
    language: str
    disconnect: str
    failed: bool
    self_served: bool
    bot: bool
    handled: bool
    unanswered: bool
    hearsay: bool
    rated: bool
    traits: dict[str, str]
    wait_s: int
    talk_s: int
    hold_s: int
    previous_leg: str
    next_leg: str
    started_ms: int
    queued_ms: int
    connected_ms: int
    ended_ms: int
    thread_ms: int


@dataclass(frozen=True, slots=True)
class Raw:
    """One record or request body as it came. `body` None is a Kafka record without a value.

    Header names are lower-case. `default_channel` comes from the topic, `account` and `zone` (IANA) from the source's
    settings: they fill in where a payload names none. `delivery` is the sender's own id of
    what it sent, for payloads without an id. Of a contact's free attributes only those in `traits` are kept.
    """

    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    default_channel: str | None = None
    delivery: str | None = None
    account: str | None = None
    zone: str | None = None
    traits: frozenset[str] = frozenset({"product_line", "state"})
    zones: Mapping[str, str] = field(default_factory=dict)
    ends: frozenset[str] = frozenset()

    def zone_of(self, account: str) -> str | None:
        return self.zones.get(account, self.zone)


@dataclass(slots=True)  # not frozen: that takes three times as long to make, and there is one for every event
class Event:
    """One fact about one leg of a contact.

    Its identity is (`source`, `id`, `version`); `hash` (16 bytes) tells another body under the same identity. Legs join
    on (`platform`, `account`, `root`). `at` is aware UTC, or None where the platform gave no usable time.
    """

    envelope: str
    index: int
    platform: str
    account: str
    source: str
    id: str
    version: str
    hash: bytes
    root: str
    leg: str
    kind: Kind
    at: datetime | None
    facts: Facts
    handles: Handles

    @property
    def channel(self) -> str:
        return self.facts.get("channel", "other")

    @property
    def ends_leg(self) -> bool:
        """Whether the hold-off runs from here; after any other event only the stale limit does."""
        return self.kind in (Kind.ENDED, Kind.TRANSFERRED)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing of ours: counted by `reason` (a code), never a dead letter."""

    envelope: str
    index: int
    platform: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The message's fault. `code` says what is wrong, `path` where; neither ever holds a value of the message."""

    envelope: str
    index: int
    platform: str
    code: str
    path: str | None = None


Reading = Event | Ignored | Refused
