"""From accounts of people to customers: lock who they may be, decide, merge what was said, save, and tell everybody what changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid4

from ingest.people import store
from ingest.people.book import Book
from ingest.people.canonical import Naming
from ingest.people.model import Handle, Holder, Nobody, Said
from ingest.people.profile import Known, from_json, known, merge, to_json
from ingest.people.snapshot import Standing, private, snapshot
from ingest.people.store import Row
from ingest.people.zones import Places
from shared.consent import subject_of
from shared.runtime.database import Unit
from shared.runtime.sealing import Sealer
from shared.schemas import Consent, ConsentChanged, ConsentStatement, Customer, CustomerChanged


@dataclass(frozen=True, slots=True)
class Desk:
    """What resolving people needs of this deployment."""

    sealer: Sealer
    naming: Naming
    places: Places


class Account(NamedTuple):
    """What one profile or one contact says of a person. `before` is whom the same contact named earlier, if anybody."""

    handles: tuple[Handle, ...]
    said: Mapping[str, Said]
    directory: bool = False
    before: UUID | None = None
    consents: tuple[ConsentStatement, ...] = ()


@dataclass(slots=True)
class _File:
    """One customer of this batch: the row, the rows that became it, what was said, and whether the snapshot must change anyway."""

    row: Row
    gone: list[Row] = field(default_factory=list)
    said: list[Mapping[str, Said]] = field(default_factory=list)
    directory: bool = False
    consents: list[Consent] = field(default_factory=list)
    stale: bool = False

    @property
    def is_first_heard_of(self) -> bool:
        """By one account alone: nothing that was said before it can be out of date."""
        return self.row.snapshot is None and not self.gone and len(self.said) == 1


Answered = Sequence[tuple[Account, UUID | Nobody]]


async def settle(unit: Unit, desk: Desk, accounts: Sequence[Account]) -> list[Customer | Nobody]:
    """The customer each account is about, made or changed as it says; every change is announced. The customers' rows stay locked."""
    book, locked, before = await _open(unit, accounts)
    named = [_answer(book, account, before) for account in accounts]
    answered = [(account, name if isinstance(name, Nobody) else book.now(name)) for account, name in zip(accounts, named, strict=True)]
    await _keep(unit, book, locked, answered)
    files = _files(book, locked, answered)
    await _take_consents(unit, files)
    customers = await _rewrite(unit, desk, files)
    return [name if isinstance(name, Nobody) else customers[name] for _, name in answered]


async def _open(unit: Unit, accounts: Sequence[Account]) -> tuple[Book, dict[UUID, Row], dict[UUID, UUID]]:
    """Everybody these accounts may be about, locked. Who was merged or erased while we waited for the lock is looked up again."""
    handles = {handle for account in accounts for handle in account.handles}
    earlier = {account.before for account in accounts if account.before}
    erased = await store.lock_handles(unit.tx, handles) if handles else frozenset()
    while True:
        before = await store.heirs(unit.tx, earlier) if earlier else {}
        holding = await store.holders(unit.tx, handles) if handles else {}
        locked = await store.lock_customers(unit.tx, set(before.values()).union(*holding.values()))
        if not any(row.merged_into or row.erased for row in locked.values()):
            break
    own = await store.own_handles(unit.tx, locked) if locked else {}
    people = {row.id: Holder(row.id, row.number, known=row.known, own=own.get(row.id, frozenset())) for row in locked.values()}
    return Book(people, holding, uuid4, erased), locked, before


def _answer(book: Book, account: Account, before: Mapping[UUID, UUID]) -> UUID | Nobody:
    answer = book.who(account.handles, directory=account.directory)
    earlier = before.get(account.before) if account.before else None
    return earlier if isinstance(answer, Nobody) and answer.reason != "erased" and earlier else answer


async def _keep(unit: Unit, book: Book, locked: dict[UUID, Row], answered: Answered) -> None:
    """Save who is new, who became whom, and who holds what."""
    if book.minted:
        locked.update(await store.insert(unit.tx, book.minted))
    if book.merged:
        await store.merge(unit.tx, {gone: book.now(gone) for gone in book.merged})
    held: dict[tuple[Handle, UUID], bool] = {}
    for handle, customer, directory in book.attached:
        held[handle, book.now(customer)] = directory or held.get((handle, book.now(customer)), False)
    for account, name in answered:
        if account.directory and isinstance(name, UUID):
            held.update(((handle, name), True) for handle in account.handles)
    if held:
        store.attach(unit.tx, held)


def _files(book: Book, locked: Mapping[UUID, Row], answered: Answered) -> dict[UUID, _File]:
    files: dict[UUID, _File] = {}
    for account, name in answered:
        if isinstance(name, Nobody):
            continue
        file = files.setdefault(name, _File(locked[name]))
        file.said.append(account.said)
        file.directory = file.directory or account.directory
        file.consents += [Consent(customer_id=name, **each.model_dump()) for each in account.consents]
    for gone in book.merged:
        heir = book.now(gone)
        files.setdefault(heir, _File(locked[heir])).gone.append(locked[gone])
    return files


async def _take_consents(unit: Unit, files: Mapping[UUID, _File]) -> None:
    """What profiles brought, and what those who were merged had said; news among the first is announced."""
    heirs = {row.id: customer for customer, file in files.items() for row in file.gone}
    inherited = (
        [_of(heirs[each.customer_id], each) for each in await store.consents(unit.tx, heirs, ()) if each.customer_id] if heirs else []
    )
    brought = [each for file in files.values() for each in file.consents]
    if not (inherited or brought):
        return
    subjects = {subject_of(each) for each in brought}
    for consent in await store.take_consents(unit.tx, [*inherited, *brought]):
        if consent.customer_id is not None and subject_of(consent) in subjects:
            files[consent.customer_id].stale = True
            unit.send(ConsentChanged(consent=consent), key=consent.customer_id, correlation=consent.customer_id)
    if heirs:
        await store.forget_consents(unit.tx, heirs)


def _of(customer: UUID, consent: Consent) -> Consent:
    return consent.model_copy(update={"customer_id": customer})


class _Version(NamedTuple):
    """A customer as it is to be saved. `change` None: the person reads as before, nobody needs to hear of it."""

    row: Row
    profile: Mapping[str, Said]
    person: Known
    change: str | None
    gone: tuple[UUID, ...]


async def _rewrite(unit: Unit, desk: Desk, files: Mapping[UUID, _File]) -> dict[UUID, Customer]:
    """Merge what was said into each profile, save it, and tell of those that changed. Returns every customer as it is now."""
    versions = {customer: _version(files[customer], desk) for customer in sorted(files)}
    told = {customer: version for customer, version in versions.items() if version.change}
    consents = await _consents_of(unit, told)
    written = {customer: _snapshot(version, desk, consents[customer]) for customer, version in told.items()}
    if versions:
        store.save(unit.tx, [_saved(version, desk, written.get(customer)) for customer, version in versions.items()])
    listed = {
        customer: {each.ref for each in version.person.addresses}
        for customer, version in versions.items()
        if files[customer].directory and not files[customer].is_first_heard_of
    }
    if listed:
        await store.forget_addresses(unit.tx, listed)
    for customer, version in told.items():
        message = CustomerChanged(customer=written[customer], change=version.change or "updated", at=unit.now, supersedes=version.gone)
        unit.send(message, key=customer, correlation=customer)
        for gone in version.gone:
            unit.forget(CustomerChanged, key=gone, correlation=customer)
    return {customer: written.get(customer) or Customer.model_validate(version.row.snapshot) for customer, version in versions.items()}


def _version(file: _File, desk: Desk) -> _Version:
    before = _unsealed(file.row, desk)
    profile = merge(before, *(_unsealed(row, desk) for row in file.gone), *file.said)
    person, is_known = known(profile), file.row.known or file.directory
    news = bool(file.gone) or file.stale or is_known != file.row.known or person != known(before)
    change = "created" if file.row.snapshot is None else "merged" if file.gone else "updated" if news else None
    version = max(row.version for row in (file.row, *file.gone)) + (1 if change else 0)
    return _Version(file.row._replace(known=is_known, version=version), profile, person, change, tuple(row.id for row in file.gone))


def _unsealed(row: Row, desk: Desk) -> dict[str, Said]:
    return from_json(desk.sealer.unseal(row.profile)) if row.profile else {}


async def _consents_of(unit: Unit, told: Mapping[UUID, _Version]) -> dict[UUID, list[Consent]]:
    refs = {customer: {each.ref for each in version.person.addresses} for customer, version in told.items()}
    kept = await store.consents(unit.tx, told, set().union(*refs.values())) if told else []
    said: defaultdict[UUID | str | None, list[Consent]] = defaultdict(list)
    for each in kept:
        said[each.customer_id or each.address_ref].append(each)
    return {customer: [*said[customer], *(each for ref in refs[customer] for each in said[ref])] for customer in told}


def _snapshot(version: _Version, desk: Desk, consents: Collection[Consent]) -> Customer:
    standing = Standing(version.row.id, version.row.number, version.row.version, known=version.row.known)
    sealed = desk.sealer.seal(private(version.person))
    return snapshot(standing, version.person, consents=consents, places=desk.places, sealed=sealed)


def _saved(version: _Version, desk: Desk, written: Customer | None) -> Row:
    return version.row._replace(profile=desk.sealer.seal(to_json(version.profile)), snapshot=written)


async def consented(unit: Unit, desk: Desk, consents: Sequence[Consent]) -> None:
    """Keep what is news, and give everybody it concerns a new version."""
    concerned = {each.customer_id for each in consents if each.customer_id}
    concerned |= await store.at_addresses(unit.tx, {each.address_ref for each in consents if each.address_ref})
    locked = await store.lock_customers(unit.tx, concerned)
    gone = {row.id for row in locked.values() if row.erased}
    changed = await store.take_consents(unit.tx, [each for each in consents if each.customer_id not in gone])
    told = {each.customer_id for each in changed} | await store.at_addresses(
        unit.tx, {each.address_ref for each in changed if each.address_ref}
    )
    await _rewrite(
        unit, desk, {row.id: _File(row, stale=True) for row in locked.values() if row.id in told and not (row.merged_into or row.erased)}
    )
