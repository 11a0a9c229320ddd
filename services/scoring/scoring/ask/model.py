"""The words of asking: a survey as its row says it, and what a gateway may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from scoring.decide.policy import Text
from shared.schemas import Sealed


class State(StrEnum):
    """`unsent` ended without leaving and has a reason; `unknown` may have left and counts as asked."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause stops: everything (`all`), one `channel`, or one version of a `policy`."""

    scope: Literal["all", "channel", "policy"]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """One question to one person about one anchor. `contact` is InteractionCompleted as JSON without `customer`;
    `address` is Sealed as JSON; every time is aware and UTC."""

    id: UUID
    kind: str
    anchor: UUID
    customer_id: UUID | None
    interaction_id: UUID | None
    interaction_revision: int | None
    decision_id: UUID
    policy_version: int
    cell: str | None
    draw: float | None
    rate: float | None
    channel: str
    address_ref: str
    address: Mapping[str, Any]
    language: str | None
    contact: Mapping[str, Any] | None
    aged_from: datetime
    state: State
    reason: str | None
    asked_at: datetime
    send_at: datetime
    due: datetime | None
    lease_until: datetime | None
    attempts: int
    gateway: str | None
    gateway_ref: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    expires_at: datetime | None
    token_hash: bytes | None
    token: Mapping[str, Any] | None

    @property
    def may_have_left(self) -> bool:
        """Whether the customer may hold its link."""
        return self.state in (State.SENDING, State.SENT, State.UNKNOWN)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for a gateway. `key` is the same for every attempt about one survey."""

    key: str
    channel: str
    address: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it; `ref` is its own name for it."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take this one."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It surely did not leave; try again, not before `retry_after_s` seconds where the gateway said so."""

    why: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """It may have left: no whole answer came."""

    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """Not tried: sending was paused after the claim."""


Result = Accepted | Refused | Failed | Lost | Held


@dataclass(frozen=True, slots=True)
class Sending:
    """A claimed survey on its way. `attempt` counts from 1; `was_unknown`: an earlier attempt may have left; `open_s`: how long the
    question stays open, seconds."""

    survey_id: UUID
    channel: str
    gateway: str
    text: Text
    address: Sealed
    address_ref: str
    token: str = field(repr=False)
    attempt: int
    was_unknown: bool
    open_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """What a survey becomes after an attempt. `due`: when to try again, None for never; `was_tried`: whether the attempt counts."""

    state: State
    reason: str | None = None
    due: datetime | None = None
    gateway_ref: str | None = None
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    was_tried: bool = True
