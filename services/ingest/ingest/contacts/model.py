"""A contact: the events stored of it, how long to wait for more, and what is judged of each of its episodes.

What is made for every event and every contact is not frozen: that takes three times as long to make. Nobody changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from ingest.normalise.model import Facts, Handles, Kind

Standing = Literal["over", "reopened"]
Wait = Literal["end", "next_leg", "hold_off", "address"]
Outcome = Literal["handled", "self_served", "bot_only", "abandoned", "failed"]


@dataclass(slots=True)
class StoredEvent:
    """A row of `event`, unsealed. `id` settles ties, `received` is the database's time of storing."""

    id: UUID
    leg: str
    kind: Kind
    at: datetime | None
    received: datetime
    facts: Facts
    handles: Handles


def _hold_offs() -> Mapping[str, timedelta]:
    return {"phone": timedelta(minutes=2), "chat": timedelta(minutes=15), "web": timedelta(minutes=1)}


def _stale() -> Mapping[str, timedelta]:
    return {"phone": timedelta(hours=12), "chat": timedelta(days=7), "email": timedelta(days=7), "web": timedelta(hours=2)}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what may still come; channels not named take `hold_off` and `stale_after`.

    `hold_offs` run from the last leg's end, `stale` from the last event of a contact whose end never came,
    `address_wait` once more where no leg named a customer, or where only the next leg says that one ended. A contact coming
    back later than `gap` after its end is a new episode. A time more than `ahead` after its arrival is not believed.
    """

    hold_offs: Mapping[str, timedelta] = field(default_factory=_hold_offs)
    hold_off: timedelta = timedelta(minutes=2)
    stale: Mapping[str, timedelta] = field(default_factory=_stale)
    stale_after: timedelta = timedelta(hours=24)
    address_wait: timedelta = timedelta(minutes=15)
    gap: timedelta = timedelta(hours=72)
    ahead: timedelta = timedelta(minutes=5)

    def hold_off_of(self, channel: str) -> timedelta:
        return self.hold_offs.get(channel, self.hold_off)

    def wait_after(self, kind: Kind, channel: str) -> timedelta:
        """How long after an event of this kind the contact is worth judging: the `hold` of the intake's statement."""
        return self.hold_off_of(channel) if kind in (Kind.ENDED, Kind.TRANSFERRED) else self.stale_of(channel)

    def stale_of(self, channel: str) -> timedelta:
        return self.stale.get(channel, self.stale_after)


@dataclass(frozen=True, slots=True)
class KnownEpisode:
    """The latest episode already numbered: keeps numbers (and so ids) when older events are gone or come late."""

    episode: int
    started_at: datetime


@dataclass(slots=True)
class LegLine:
    """One leg as the message shows it; `end` is who or what ended it, or `transferred`."""

    agent: str | None
    agent_name: str | None
    team: str | None
    queue: str | None
    from_: datetime | None
    to: datetime | None
    end: str | None


@dataclass(slots=True)
class Interaction:
    """One episode of a contact, judged. Team, moment and customer are for others to add.

    `agent`, `team` and `queue` are those of the last leg with a human; `handles` those of whom the contact began with.
    `received_at` is the database's time of the event that completed it; `clock_suspect` says that a time was replaced.
    """

    episode: int
    standing: Standing
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    clock_suspect: bool
    wait_s: int | None
    talk_s: int | None
    hold_s: int | None
    transfers: int
    legs: tuple[LegLine, ...]
    agent: str | None
    agent_name: str | None
    team: str | None
    queue: str | None
    outcome: Outcome
    purpose: str
    channel: str
    medium: str | None
    direction: str
    disconnect: str | None
    reason: str | None
    language: str | None
    traits: Mapping[str, str]
    handles: Handles
    needs_address: bool


@dataclass(frozen=True, slots=True)
class Over:
    """The episode is complete; a later event may still bring a revision."""

    interaction: Interaction


@dataclass(frozen=True, slots=True)
class NotOver:
    """Judge again at `look_again_at`, or at the next event. `so_far` (standing `reopened`) is for an episode already told of as over."""

    look_again_at: datetime
    waits_for: Wait
    so_far: Interaction


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every episode in order of time. `look_again_at` is the earliest moment at which time alone changes the verdict."""

    episodes: tuple[Over | NotOver, ...]

    @property
    def look_again_at(self) -> datetime | None:
        return min((one.look_again_at for one in self.episodes if isinstance(one, NotOver)), default=None)
