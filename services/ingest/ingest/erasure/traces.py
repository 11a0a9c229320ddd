"""What leads to a person in bytes nobody could read, as their profile and their platforms write it."""

from collections.abc import Mapping

from ingest.people.canonical import Naming, address
from ingest.people.model import Address
from ingest.people.profile import Known
from shared.traces import Traces


def of_profile(person: Known) -> Traces:
    addresses = {(each.kind, each.value) for each in person.addresses if each.kind in ("phone", "email")}
    return frozenset(addresses | ({("id", person.member_id)} if person.member_id else set()))


def of_handles(written: Mapping[str, object], naming: Naming) -> Traces:
    """Of what a platform wrote of its customer."""
    said = {field: str(value).strip() for field, value in written.items() if value}
    found = (address(kind, said[kind], naming) for kind in ("email", "phone") if kind in said)
    addresses = {(each.kind, each.value) for each in found if isinstance(each, Address)}
    return frozenset(addresses | {("id", said[kind]) for kind in ("member_id", "contact_id") if kind in said})
