"""Where may a customer be? Candidates from the profile, the postal code and the numbers; the hours rule then respects every one of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.people.model import Address
from ingest.people.postal import UNITED_STATES
from ingest.people.profile import Known


@dataclass(frozen=True, slots=True)
class Places:
    """What the deployment knows about places. `by_postal_code` maps the first three digits to zones."""

    country_zones: tuple[str, ...]
    by_postal_code: Mapping[str, tuple[str, ...]]
    of_number: Callable[[str], Sequence[str]]


def candidate_zones(person: Known, places: Places) -> tuple[str, ...]:
    """Every zone the customer may be in, sorted; those of the whole country when nothing says more."""
    stated = {person.zone} if person.zone else set()
    posted = places.by_postal_code.get((person.postal_code or "")[:3], ())
    return tuple(sorted({*stated, *posted, *_of_numbers(person.addresses, places)} or set(places.country_zones)))


def _of_numbers(addresses: Iterable[Address], places: Places) -> set[str]:
    return {zone for each in addresses if each.kind == "phone" for zone in places.of_number(each.value)}


def postal_zones(country: str) -> Mapping[str, tuple[str, ...]]:
    """Zones by the first three digits of a postal code, from the three-digit prefixes of the United States; empty for other countries."""
    if country != "US":
        return {}
    return {f"{prefix:03}": zones for span, zones in UNITED_STATES for prefix in span}
