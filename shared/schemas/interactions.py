"""Contacts that are over."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.schemas.fields import Code, Count, Flag, Id, Language, Revision, When
from shared.schemas.message import Message, Value
from shared.schemas.people import Customer


class Leg(Value):
    """One stretch of a contact; any part of it may be missing."""

    agent: str | None = None
    agent_name: str | None = None
    team: Code | None = None
    queue: str | None = None
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    end: Code | None = None


class Contact(Value):
    """The facts of one contact, without its customer.

    `interaction_id` is uuid5 of platform, account, root and episode. Attribution (`agent`, `team`, `queue`, `moment`) is the last human
    leg's, by catalogue version. `clock_suspect`: a time was replaced. `wait_s`, `talk_s`, `hold_s` in seconds.
    """

    interaction_id: Id
    revision: Revision
    standing: Literal["over", "reopened"]
    platform: Code
    account: str
    ref: str
    episode: Count
    channel: Code
    medium: Code
    direction: Code
    purpose: Code
    outcome: Code
    started_at: When
    ended_at: When
    received_at: When
    clock_suspect: Flag
    wait_s: Count | None = None
    talk_s: Count | None = None
    hold_s: Count | None = None
    transfers: Count
    contacts_7d: Count
    legs: tuple[Leg, ...]
    agent: str | None = None
    team: Code | None = None
    queue: str | None = None
    moment: Code | None = None
    catalogue_version: Count
    reason_code: Code | None = None
    disconnect: Code | None = None
    language: Language | None = None
    point_ref: str | None = None
    traits: dict[Code, str]
    no_customer: Code | None = None


class InteractionCompleted(Contact, Message):
    """A contact is over. The highest revision wins; `standing: reopened` holds back what is unsent."""

    TYPE: ClassVar[str] = "aftercall.interaction-completed.v1"

    customer: Customer | None = None

    @model_validator(mode="after")
    def names_customer_or_says_why_not(self) -> Self:
        if (self.customer is None) == (self.no_customer is None):
            raise ValueError("give exactly one of customer, no_customer")
        return self

    def contact(self) -> Contact:
        """The same facts without the customer."""
        return Contact.model_construct(**{name: getattr(self, name) for name in Contact.model_fields})
