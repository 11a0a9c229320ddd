"""Who is it? The strongest handle that points at somebody decides, and a guess is never made.

A member id, and a platform's contact id within its account, name one person. An e-mail or a phone number is a household's:
alone it names a customer only while a single one holds it, and it never makes two customers one. The exception is a
placeholder, a provisional customer that nothing but such addresses describes: it has no person of its own yet, so the first
known person who brings the address takes it over, as long as nobody else holds that address.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from uuid import UUID

from ingest.people.model import Handle, Holder, Identity, Nobody, Person, Strength

Holders = Mapping[Handle, Collection[Holder]]


def identify(present: Collection[Handle], holders: Holders, *, directory: bool = False) -> Identity:
    """The customer these handles name. `directory`: they come from the member directory, so whoever it is becomes known."""
    ranked = sorted(set(present))
    if not ranked:
        return Nobody("none")
    if not any(map(holders.get, ranked)):
        return Person(None, tuple(ranked), ())
    for kind, group in groupby(ranked, key=lambda handle: handle.kind):
        stronger = [handle for handle in ranked if handle.kind < kind]
        candidates = _candidates(list(group), holders, stronger=stronger)
        if len(candidates) == 1 or (directory and candidates and all(holder.is_a_placeholder for holder in candidates)):
            return _person(candidates[0], ranked, holders, known=directory or candidates[0].known)
        if candidates:
            return _person(None, ranked, holders, known=directory) if stronger else Nobody("ambiguous")
    return _person(None, ranked, holders, known=directory)


def admitted(present: Collection[Handle], erased: Collection[Handle], *, directory: bool = False) -> Collection[Handle] | Nobody:
    """The handles that may name somebody, while those of erased people are still remembered.

    Where the strongest was an erased person's it is that person, whoever else is on the same number. A weaker one says nothing; only
    the directory may give it to somebody.
    """
    gone = set(present).intersection(erased)
    if not gone:
        return present
    strongest = min(handle.kind for handle in present)
    if any(handle.kind is strongest for handle in gone):
        return Nobody("erased")
    return present if directory else [handle for handle in present if handle not in gone]


def _candidates(handles: Iterable[Handle], holders: Holders, *, stronger: Collection[Handle]) -> list[Holder]:
    """The customers behind these handles, oldest first; none at all if a stronger handle of the same event says it is somebody else."""
    found = {holder.customer: holder for handle in handles for holder in holders.get(handle, ())}
    if any(_rules_out(handle, holder) for handle in stronger for holder in found.values()):
        return []
    return sorted(found.values(), key=lambda holder: holder.number)


def _rules_out(handle: Handle, holder: Holder) -> bool:
    """Another member id, or another contact id of the same account, is another person."""
    same_kind = [own for own in holder.own if (own.kind, own.scope) == (handle.kind, handle.scope)]
    return bool(same_kind) and handle not in same_kind


def _person(chosen: Holder | None, ranked: list[Handle], holders: Holders, *, known: bool) -> Person:
    target = chosen.customer if chosen else None
    absorbed = _absorbed(target, ranked, holders) if known else ()
    attach = tuple(handle for handle in ranked if _may_attach(target, handle, holders.get(handle, ())))
    return Person(target, attach, absorbed)


def _may_attach(target: UUID | None, handle: Handle, held_by: Collection[Holder]) -> bool:
    """A household's address gains a holder; what names one person is only taken while it is free."""
    return all(holder.customer != target for holder in held_by) if handle.shared_by_a_household else not held_by


def _absorbed(target: UUID | None, ranked: Iterable[Handle], holders: Holders) -> tuple[UUID, ...]:
    """The provisional customers that one event, carrying both, shows to be the known one."""
    absorbed: dict[UUID, int] = {}
    for handle in ranked:
        others = [holder for holder in holders.get(handle, ()) if holder.customer != target]
        if all(_may_join(holder, handle) for holder in others):
            absorbed.update({holder.customer: holder.number for holder in others})
    return tuple(sorted(absorbed, key=absorbed.__getitem__))


def _may_join(holder: Holder, handle: Handle) -> bool:
    if handle.shared_by_a_household:
        return holder.is_a_placeholder
    return not holder.known and not any(own.kind is Strength.member for own in holder.own)
