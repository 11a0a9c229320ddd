"""From what somebody wrote to handles and addresses: one canonical form each, and its HMAC."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ingest.people.model import Address, Handle, Strength
from shared.addresses import Unusable, classify


@dataclass(frozen=True, slots=True)
class Naming:
    """How values become handles in this deployment: `ref` (kind, scope, canonical value) is the HMAC all services share.

    `country` (ISO 3166) is assumed for numbers without an international prefix.
    """

    ref: Callable[[str, str, str], str]
    country: str


class Named(NamedTuple):
    handles: tuple[Handle, ...]
    addresses: tuple[Address, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(handle.ref for handle in self.handles)


def address(kind: str, written: str, naming: Naming) -> Address | Unusable:
    """The canonical address, or why there is none."""
    found = classify(kind, written, country=naming.country)
    if isinstance(found, Unusable):
        return found
    return Address(found.kind, found.value, naming.ref(found.kind, "", found.value), found.can)


def member(member_id: str, naming: Naming) -> Handle:
    return Handle(Strength.member, "", naming.ref("member", "", member_id.strip()))


def named(written: Mapping[str, object], naming: Naming, *, platform: str, account: str) -> Named:
    """The handles in what a platform wrote of its customer. A contact id counts within its account only."""
    said = {field: str(value).strip() for field, value in written.items() if value}
    scope = f"{platform}:{account}"
    strong = [member(said["member_id"], naming)] if said.get("member_id") else []
    if said.get("contact_id"):
        strong.append(Handle(Strength.contact, scope, naming.ref("contact", scope, said["contact_id"])))
    found = (address(kind, said[kind], naming) for kind in ("email", "phone") if said.get(kind))
    addresses = tuple(each for each in found if isinstance(each, Address))
    return Named((*strong, *handles_of(addresses)), addresses)


def handles_of(addresses: Iterable[Address]) -> tuple[Handle, ...]:
    """Phone numbers and e-mail addresses find their holders again; other addresses only reach them."""
    return tuple(Handle(Strength[each.kind], "", each.ref) for each in addresses if each.kind in ("email", "phone"))
