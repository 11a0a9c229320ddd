"""How scoring holds what it knows of a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.schemas import CallbackChanged, Contact, Customer, PlatformRef

OPEN = frozenset({"open", "assigned", "attempting", "reached", "resolved"})
"""States of a case in which nobody is asked again: somebody is about to call, or has just called."""


@dataclass(frozen=True, slots=True)
class Person:
    """`id` is the id the customer has now; `customer` is None while only the id is known, and for ever once `erased`."""

    id: UUID
    customer: Customer | None
    erased: bool = False


class People(NamedTuple):
    """By the id asked for. `news`: what was told of an id and is newer than what is stored."""

    by_id: dict[UUID, Person]
    news: dict[UUID, Customer]


@dataclass(frozen=True, slots=True)
class Callback:
    """A case as far as asking is concerned. `recovery_due`: when to decide about its recovery survey, None for never."""

    case_id: UUID
    customer_id: UUID | None
    opening_survey: UUID | None
    answered_at: datetime
    recovery_due: datetime | None = None


Call = tuple[str, str, str]
"""Platform, account and reference of one of our own calls."""


def call(ref: PlatformRef | Contact) -> Call:
    """Of a contact, or of a call a case made."""
    return (ref.platform, ref.account, ref.ref)


def opening_survey(message: CallbackChanged) -> UUID | None:
    """The survey whose answer opened the case: surveys are listed in the order they joined."""
    return message.survey_ids[0] if message.survey_ids else None
