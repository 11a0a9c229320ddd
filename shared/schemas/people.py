"""Customers: who they are, what they consent to, how they are forgotten."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from shared.schemas.fields import Attribute, Code, Count, Flag, Id, Language, Name, Sealed, When, Zone
from shared.schemas.message import Message, Value


class Point(Value):
    """An address of a customer. `ref` is its HMAC, `can` what it is usable for (voice, sms, email, chat)."""

    ref: str
    kind: Code
    can: tuple[Code, ...]
    dead: Flag


class ConsentStatement(Value):
    """What somebody agreed to or refused, without saying who: inside a profile it is the profile's person."""

    channel: Code
    purpose: Code
    state: Literal["granted", "refused"]
    at: When
    source: Code


class Consent(ConsentStatement):
    """The latest `at` wins, refusal wins ties. Holds for a person, or for an address whoever holds it."""

    customer_id: Id | None = None
    address_ref: str | None = None

    @model_validator(mode="after")
    def names_one_subject(self) -> Self:
        if (self.customer_id is None) == (self.address_ref is None):
            raise ValueError("give exactly one of customer_id, address_ref")
        return self


class Customer(Value):
    """A snapshot; the highest `version` wins. Nothing personal outside `private`, which seals `given_name`, `member_id`, `addresses`."""

    customer_id: Id
    number: Count
    version: Count
    known: Flag
    language: Language | None = None
    candidate_zones: tuple[Zone, ...]
    segment: Code
    flags: tuple[Code, ...]
    traits: dict[Code, str]
    points: tuple[Point, ...]
    consents: tuple[Consent, ...]
    private: Sealed | None = None


class CustomerChanged(Message):
    """`supersedes` lists the ids that became this one."""

    TYPE: ClassVar[str] = "aftercall.customer-changed.v1"

    customer: Customer
    change: Code
    at: When
    supersedes: tuple[Id, ...]


class ConsentChanged(Message):
    """A consent, and the message or answer that said it."""

    TYPE: ClassVar[str] = "aftercall.consent-changed.v1"

    consent: Consent
    evidence: Id | None = None


class GivenAddress(Value):
    """An address in the clear, as the customer directory writes it."""

    kind: Code
    value: Name


class ProfileGiven(Message):
    """What the customer directory says of a member. A missing field says nothing; an empty one clears. The latest `at` wins, ties by id.

    `addresses` are all there are, or with `address_kinds` all of these kinds: of others nothing is said.
    """

    TYPE: ClassVar[str] = "aftercall.profile-given.v1"

    profile_id: Name
    member_id: Name
    at: When
    name: str | None = None
    addresses: tuple[GivenAddress, ...] | None = None
    address_kinds: tuple[Code, ...] | None = None
    zone: str | None = None
    postal_code: str | None = None
    language: str | None = None
    segment: str | None = None
    flags: tuple[Code, ...] | None = None
    traits: dict[Code, Attribute] | None = None
    consents: tuple[ConsentStatement, ...] | None = None


class CustomerErased(Message):
    """A person is to be forgotten, under every id they ever had."""

    TYPE: ClassVar[str] = "aftercall.customer-erased.v1"

    request_id: Id
    customer_ids: tuple[Id, ...]
    requested_at: When
    basis: Code


class ErasureReported(Message):
    """What one service deleted or anonymised; sealed copies still in topics are gone by `clean_by`."""

    TYPE: ClassVar[str] = "aftercall.erasure-reported.v1"

    request_id: Id
    service: Code
    counts: dict[Code, Count]
    clean_by: When
    done: Flag
