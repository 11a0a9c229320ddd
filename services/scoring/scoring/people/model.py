"""How scoring holds what it knows of a person."""

from dataclasses import dataclass
from uuid import UUID

from shared.schemas import Customer


@dataclass(frozen=True, slots=True)
class Person:
    """`id` is the id the customer has now; `customer` is None while only the id is known."""

    id: UUID
    customer: Customer | None
