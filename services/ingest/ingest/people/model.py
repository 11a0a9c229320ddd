"""Who a person is to us: the handles that point at a customer, and what is known of those who hold them."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID


class Strength(IntEnum):
    """How surely a kind of handle names one person; a lower number is stronger."""

    member = 0
    contact = 1
    email = 2
    phone = 3


class Handle(NamedTuple):
    """`ref` is the HMAC of the canonical value; `scope` is `platform:account` for a platform's contact id, else empty.

    The most telling sort first.
    """

    kind: Strength
    scope: str
    ref: str

    @property
    def shared_by_a_household(self) -> bool:
        return self.kind >= Strength.email


@dataclass(frozen=True, slots=True)
class Holder:
    """A customer one of the handles points at. `own` are its member and platform contact ids."""

    customer: UUID
    number: int
    known: bool
    own: frozenset[Handle]

    @property
    def is_a_placeholder(self) -> bool:
        """It stands for whoever uses an address: nothing yet says which person that is."""
        return not self.known and not self.own


@dataclass(frozen=True, slots=True)
class Person:
    """`customer` None: nobody yet, mint one. `absorb`: provisional customers that turn out to be this one."""

    customer: UUID | None
    attach: tuple[Handle, ...]
    absorb: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Nobody:
    """No customer: no handle at all (`none`), handles that fit several people (`ambiguous`), or those of somebody who was `erased`."""

    reason: Literal["none", "ambiguous", "erased"]

    @property
    def told(self) -> str:
        """What messages say: whom we have forgotten is nobody, and not even that is told."""
        return "none" if self.reason == "erased" else self.reason


Identity = Person | Nobody


class Stamp(NamedTuple):
    """When and by whom a field was said. What the directory says (1) outranks what contacts brought (0)."""

    rank: int
    at: datetime
    by: str


class Said(NamedTuple):
    """The latest word on one field of a profile; an empty value is a word too: it clears."""

    stamp: Stamp
    value: Any


class Address(NamedTuple):
    """A canonical address (E.164, lower-case e-mail), its HMAC, which may travel where the value may not, and what it is usable for."""

    kind: str
    value: str
    ref: str
    can: tuple[str, ...]
