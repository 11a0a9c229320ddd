"""What is known of a customer, field by field, each with who said it and when; putting two accounts together in any order is one rule."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ingest.people.model import Address, Said, Stamp
from shared.schemas import ProfileGiven

Profile = Mapping[str, Said]

PLAIN = ("name", "zone", "postal_code", "language", "segment", "flags", "traits")
CONTACT, DIRECTORY = 0, 1
SEEN = "seen:"
LISTED = "addresses"
LISTED_OF = "addresses:"


class Known(NamedTuple):
    """A profile as it stands: what was never said, or was cleared, is empty."""

    member_id: str | None
    name: str | None
    zone: str | None
    postal_code: str | None
    language: str | None
    segment: str
    flags: tuple[str, ...]
    traits: Mapping[str, str]
    addresses: tuple[Address, ...]


def merge(*accounts: Profile) -> dict[str, Said]:
    """Per field the highest stamp wins: the directory over contacts, the later over the earlier, ties by the id of what said it."""
    merged: dict[str, Said] = {}
    for account in accounts:
        for field, said in account.items():
            if field not in merged or _outweighs(said, merged[field]):
                merged[field] = said
    return merged


def _outweighs(one: Said, other: Said) -> bool:
    """Of two different words under one stamp the same always wins, whichever it is."""
    if one.stamp != other.stamp:
        return one.stamp > other.stamp
    return json.dumps(one.value, sort_keys=True) > json.dumps(other.value, sort_keys=True)


def from_directory(given: ProfileGiven, addresses: Sequence[Address]) -> dict[str, Said]:
    """What a profile says. A field it does not carry says nothing; an empty one clears. `addresses` are its canonical ones."""
    stamp = Stamp(DIRECTORY, given.at, given.profile_id)
    said = {field: getattr(given, field) for field in PLAIN}
    account = {field: Said(stamp, _plain(value)) for field, value in said.items() if value is not None}
    account["member_id"] = Said(stamp, given.member_id)
    if given.addresses is not None and given.address_kinds is None:
        account[LISTED] = Said(stamp, [_written(each) for each in addresses])
    elif given.addresses is not None and given.address_kinds is not None:
        kinds = {kind: [_written(each) for each in addresses if each.kind == kind] for kind in given.address_kinds}
        account.update({LISTED_OF + kind: Said(stamp, written) for kind, written in kinds.items()})
    return account


def from_contact(brought: Mapping[str, str | None], addresses: Iterable[Address], *, at: datetime, by: str) -> dict[str, Said]:
    """What a contact brought: only what is there counts, and the addresses it used add up."""
    stamp = Stamp(CONTACT, at, by)
    account = {field: Said(stamp, value) for field, value in brought.items() if value and (field in PLAIN or field == "member_id")}
    account.update({SEEN + each.ref: Said(stamp, _written(each)) for each in addresses})
    return account


def _plain(value: Any) -> Any:
    return sorted(set(value)) if isinstance(value, tuple) else value


def known(profile: Profile) -> Known:
    said = {field: each.value for field, each in profile.items()}
    return Known(
        member_id=said.get("member_id"),
        name=said.get("name") or None,
        zone=said.get("zone") or None,
        postal_code=said.get("postal_code") or None,
        language=said.get("language") or None,
        segment=(said.get("segment") or "unknown").lower(),
        flags=tuple(said.get("flags") or ()),
        traits=dict(said.get("traits") or {}),
        addresses=_addresses(profile, _listed(profile)),
    )


def _listed(profile: Profile) -> list[Sequence[Any]]:
    """The directory's latest list, and of the kinds it listed apart since then what it said of those."""
    whole = profile.get(LISTED)
    listed: list[Sequence[Any]] = list(whole.value or ()) if whole else []
    for field in sorted(name for name in profile if name.startswith(LISTED_OF)):
        apart, kind = profile[field], field.removeprefix(LISTED_OF)
        if whole is None or apart.stamp > whole.stamp:
            listed = [*(each for each in listed if each[0] != kind), *apart.value]
    return listed


def _addresses(profile: Profile, listed: Iterable[Sequence[Any]]) -> tuple[Address, ...]:
    """The directory's first, in its order, then those that contacts used, the latest first."""
    seen = sorted((said for field, said in profile.items() if field.startswith(SEEN)), reverse=True)
    found = (Address(kind, value, ref, tuple(can)) for kind, value, ref, can in (*listed, *(said.value for said in seen)))
    return tuple({each.ref: each for each in reversed(list(found))}.values())[::-1]


def _written(address: Address) -> list[Any]:
    return [address.kind, address.value, address.ref, list(address.can)]


def given_name(name: str | None) -> str | None:
    """The name to greet with: the first word, or what follows the comma of `Family, Given`."""
    words = (name or "").rpartition(",")[2].split()
    return words[0] if words else None


def same_meaning(one: Profile, other: Profile) -> bool:
    """Do both say the same, whoever said it and when?"""
    return known(one) == known(other)


def to_json(profile: Profile) -> dict[str, Any]:
    stamps = {stamp: [stamp.rank, stamp.at.isoformat(), stamp.by] for stamp in {said.stamp for said in profile.values()}}
    return {field: [*stamps[said.stamp], said.value] for field, said in profile.items()}


def from_json(written: Mapping[str, Sequence[Any]]) -> dict[str, Said]:
    return {field: Said(Stamp(rank, datetime.fromisoformat(at), by), value) for field, (rank, at, by, value) in written.items()}
