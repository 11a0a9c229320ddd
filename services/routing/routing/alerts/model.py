"""An alert: what a team is told of customers who just became unhappy. It holds counts and codes, never a name, a number or words."""

from dataclasses import dataclass as frozen_value
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic.dataclasses import dataclass

from routing.cases.model import Level


class Kind(StrEnum):
    """Unhappy answers of one team and channel share an alert; each critical case has one of its own."""

    UNHAPPY = "unhappy"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """One group, as its row keeps it.

    `count` answers came, the delivered messages told of `told` of them. `next_on` is the due column of the next message: null means there
    is nothing to tell. `attempts` failed since the last one that arrived. `lease_until` belongs to whoever is delivering right now.
    """

    id: UUID
    team: str
    channel: str
    kind: Kind
    level: Level
    opened_at: datetime
    last_at: datetime
    count: int
    told: int = 0
    messages: int = 0
    attempts: int = 0
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    next_on: datetime | None = None
    lease_until: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_name: str | None = None


@frozen_value(frozen=True, slots=True)
class Standing:
    """An alert with what has become of its cases: how many nobody has taken, and the earliest time one of those is due."""

    alert: Alert
    waiting: int
    oldest_due_at: datetime | None


@frozen_value(frozen=True, slots=True)
class Try:
    """One receiver was asked to take a message; `outcome` is `delivered` or a code for what went wrong."""

    receiver: str
    outcome: str

    @property
    def arrived(self) -> bool:
        return self.outcome == "delivered"


@frozen_value(frozen=True, slots=True)
class Outgoing:
    """One message about to leave. `lease_until` tells the delivery apart from a later one of the same alert."""

    alert: Alert
    oldest_due_at: datetime | None
    at: datetime

    @property
    def message_id(self) -> str:
        """The same however often it is sent again, so that a receiver can tell."""
        return f"{self.alert.id}-{self.alert.messages + 1}"
