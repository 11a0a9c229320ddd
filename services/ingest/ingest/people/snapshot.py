"""The customer as every other service sees it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingest.people.profile import Known, given_name
from ingest.people.zones import Places, candidate_zones
from shared.schemas import Consent, Customer, Point, Sealed


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer is apart from the profile."""

    customer_id: UUID
    number: int
    version: int
    known: bool


def private(person: Known) -> dict[str, Any]:
    """What is to be sealed into the snapshot."""
    said = {"given_name": given_name(person.name), "member_id": person.member_id}
    addresses = {each.ref: each.value for each in person.addresses}
    return {**{field: value for field, value in said.items() if value}, "addresses": addresses}


def snapshot(standing: Standing, person: Known, *, consents: Collection[Consent], places: Places, sealed: Sealed) -> Customer:
    return Customer(
        customer_id=standing.customer_id,
        number=standing.number,
        version=standing.version,
        known=standing.known,
        language=person.language,
        candidate_zones=candidate_zones(person, places),
        segment=person.segment,
        flags=person.flags,
        traits=dict(person.traits),
        points=tuple(Point(ref=each.ref, kind=each.kind, can=each.can, dead=False) for each in person.addresses),
        consents=tuple(sorted(consents, key=_place)),
        private=sealed,
    )


def _place(consent: Consent) -> tuple[str, str, str]:
    return consent.address_ref or "", consent.channel, consent.purpose
