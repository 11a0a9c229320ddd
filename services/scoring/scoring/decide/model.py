"""What a decision is made of: facts, the history of asking, verdicts, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.schemas import Consent, Contact, Customer, Detail, Point, Verdict

Phase = Literal["decide", "send", "offer"]
ELIGIBLE = "eligible"


class Outcome(StrEnum):
    """`invited`: a place is reserved. `deferred`: a fact is missing that may still come. `suppressed`: no, and no timer looks again.
    `withdrawn`: was invited, and the same rules said no at sending."""

    INVITED = "invited"
    DEFERRED = "deferred"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"


Finding = tuple[Verdict, Detail]
"""What one rule said, with a code or numbers that explain it and nothing personal."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel to one address of the customer. `basis` is why we may (granted, implied), None when nothing says so."""

    channel: str
    point: Point
    basis: Literal["granted", "implied"] | None
    refused_by: Literal["customer", "address"] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules may look at, apart from what was asked before.

    `aged_from` is what the age limit counts from: the contact's end, or the moment a recovery survey fell due. From `give_up_at` on a
    missing fact counts as a no. `gateways` are the channels that can send; `erased`: the person asked to be forgotten.
    `customer.consents` is not read: `consents` is the merged truth.
    """

    kind: str
    anchor: UUID
    contact: Contact
    customer: Customer | None
    erased: bool
    consents: tuple[Consent, ...]
    own_call: bool
    open_callback: bool
    gateways: frozenset[str]
    aged_from: datetime
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One survey that counts as asked: reserved, sent, or perhaps sent."""

    kind: str
    anchor: UUID
    customer_id: UUID | None
    address_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Draw:
    """`value` in [0, 1) is below `rate`, the inclusion probability, for those who are in."""

    cell: str
    value: float
    rate: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What every rule said, in the policy's order, and what follows from it."""

    outcome: Outcome
    reason: str
    phase: Phase
    verdicts: tuple[Finding, ...]
    policy_version: int
    draw: Draw | None = None
    way: Way | None = None
    send_at: datetime | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision as it stands before it is judged again."""

    verdicts: Sequence[Finding]
    id: UUID
    revision: int
    interaction_revision: int | None
    outcome: str
    reason: str
    policy_version: int
    give_up_at: datetime | None
    survey_id: UUID | None
