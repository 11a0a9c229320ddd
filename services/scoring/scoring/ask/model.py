"""The words of asking: a survey as its row says it, and what a gateway may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class State(StrEnum):
    """`unsent` ended without leaving and has a reason; `unknown` may have left and counts as asked."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


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
