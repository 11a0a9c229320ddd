"""Somebody asks to be forgotten: profile, snapshots, consents, handles, and what named them in their contacts go at once, in the
transaction that tells the other services. What is left of them in sealed bytes is looked for afterwards (`erasure.search`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from ingest.contacts import store as contacts
from ingest.contacts.store import EventRow
from ingest.erasure import store
from ingest.erasure.model import Found, Sweep
from ingest.erasure.traces import of_handles, of_profile
from ingest.metrics import Metrics
from ingest.people import store as people
from ingest.people.canonical import handles_of, member, named
from ingest.people.handle import Desk
from ingest.people.model import Handle
from ingest.people.profile import from_json, known
from shared.runtime.audit import Actor, audit
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.schemas import Consent, ConsentChanged, CustomerChanged, CustomerErased, ErasureReported, Sealed
from shared.topics import SERVICES
from shared.traces import Traces


@dataclass(frozen=True, slots=True)
class Office:
    """What erasing needs of this deployment. `keep`: how long handles of erased people are remembered; `late`: after how long a service
    should have reported; `events_at_once` and `letters_at_once` are looked through in one transaction."""

    desk: Desk
    keep: timedelta
    late: timedelta
    metrics: Metrics
    events_at_once: int = 20_000
    letters_at_once: int = 200


async def erase_member(unit: Unit, office: Office, member_id: str, *, basis: str, by: Actor) -> UUID:
    """The request, the same for a member erased already. Somebody we do not have is erased too: their events may be here already."""
    handle = member(member_id, office.desk.naming)
    earlier, customer = await store.by_member(unit.tx, handle.ref)
    if not (earlier or customer):
        await people.lock_handles(unit.tx, [handle])
        earlier, customer = await store.by_member(unit.tx, handle.ref)
    if earlier:
        return earlier
    if customer is None:
        customer = uuid4()
        await store.add_tombstone(unit.tx, customer)
    request = await erase_customer(unit, office, customer, basis=basis, by=by, asked=(handle, member_id))
    assert request is not None
    return request


async def erase_customer(
    unit: Unit, office: Office, customer: UUID, *, basis: str, by: Actor, asked: tuple[Handle, str] | None = None
) -> UUID | None:
    """The request, the same for somebody erased already; None for an id that is nobody's. `asked`: the member id they were named by."""
    found = await _locked(unit, office.desk, customer, asked)
    if found is None or isinstance(found, UUID):
        return found
    sweep = await _forget(unit, office, found)
    await store.add(unit.tx, sweep, basis=basis, traces=office.desk.sealer.seal(sorted(found.traces)))
    await audit(unit.tx, by, "customer.erased", subject=found.ids[0], detail={"request_id": str(sweep.request_id), "basis": basis})
    message = CustomerErased(request_id=sweep.request_id, customer_ids=found.ids, requested_at=unit.now, basis=basis)
    unit.send(message, key=found.ids[0], correlation=sweep.request_id)
    for each in found.ids:
        unit.forget(CustomerChanged, key=each, correlation=sweep.request_id)
    return sweep.request_id


async def _locked(unit: Unit, desk: Desk, customer: UUID, asked: tuple[Handle, str] | None) -> Found | UUID | None:
    """All that leads to this customer, locked; their earlier erasure; or None. Whatever changed while we waited is looked up again."""
    found = await _found(unit, desk, customer, asked)
    while isinstance(found, Found):
        await store.begin_again(unit.tx)
        await store.lock_contacts(unit.tx, found.roots)
        await people.lock_handles(unit.tx, sorted(found.handles, key=lambda each: (each.kind.name, each.scope, each.ref)))
        await people.lock_customers(unit.tx, found.ids)
        again = await _found(unit, desk, customer, asked)
        if again == found:
            return found
        await store.let_go(unit.tx)
        found = again
    return found


async def _found(unit: Unit, desk: Desk, customer: UUID, asked: tuple[Handle, str] | None) -> Found | UUID | None:
    rows = await store.people(unit.tx, customer)
    if not rows or rows[0]["erasure"]:
        return rows[0]["erasure"] if rows else None
    ids = tuple(each["id"] for each in rows)
    persons = [known(from_json(desk.sealer.unseal(Sealed(**each["profile"])))) for each in rows if each["profile"]]
    seen = {handle for person in persons for handle in handles_of(person.addresses)}
    traces: Traces = frozenset(("id", str(each)) for each in ids).union(*(of_profile(person) for person in persons))
    roots = await store.roots(unit.tx, ids)
    for root, events in (await contacts.events(unit.tx, roots)).items():
        for written in (unsealed(each, desk) for each in events):
            seen.update(named(written, desk.naming, platform=root[0], account=root[1]).handles)
            traces |= of_handles(written, desk.naming)
    if asked:
        seen.add(asked[0])
        traces |= {("id", asked[1])}
    return Found(ids, await store.held(unit.tx, ids), frozenset(seen), roots, traces)


async def _forget(unit: Unit, office: Office, found: Found) -> Sweep:
    """What can be found at once. A number that somebody else is on too is theirs as well: it is remembered, but not looked for."""
    request = uuid4()
    holders = await people.holders(unit.tx, found.handles)
    shared = {handle for handle, who in holders.items() if who - set(found.ids)}
    counts = {
        "consents": await _hand_over_refusals(unit, found, own=found.handles - shared, request=request),
        "customers": await store.forget_people(unit.tx, found.ids, erasure=request),
        "handles": await store.mark(unit.tx, found.held | (found.seen - shared), erasure=request, keep=office.keep),
        "interactions": await store.forget_customer(unit.tx, found.ids),
        "events": await contacts.forget_handles(unit.tx, found.roots),
    }
    await store.forget_digests(unit.tx, found.roots)
    refs = frozenset(handle.ref for handle in found.handles - shared)
    return Sweep(request, found.ids, refs, found.traces, letters_to=UUID(int=0), counts=counts)


async def _hand_over_refusals(unit: Unit, found: Found, *, own: Collection[Handle], request: UUID) -> int:
    """What they refused outlives them, as said of the addresses that were theirs alone; everything else they said of consents goes."""
    said = await people.consents(unit.tx, found.ids, ())
    refs = sorted(handle.ref for handle in own if handle.shared_by_a_household)
    kept = [_of_address(each, ref) for each in said if each.state == "refused" for ref in refs]
    for consent in await people.take_consents(unit.tx, kept) if kept else []:
        assert consent.address_ref is not None
        unit.send(ConsentChanged(consent=consent), key=consent.address_ref, correlation=request)
    await people.forget_consents(unit.tx, found.ids)
    return len(said)


def _of_address(consent: Consent, ref: str) -> Consent:
    return consent.model_copy(update={"customer_id": None, "address_ref": ref})


def unsealed(event: EventRow, desk: Desk) -> Mapping[str, Any]:
    """The handles of a stored event."""
    written: Mapping[str, Any] = desk.sealer.unseal(Sealed(**event.handles)) if event.handles else {}
    return written


async def reported(batch: Batch[ErasureReported]) -> None:
    """What a service says of an erasure. One we never asked for is a dead letter: only we mint these ids."""
    known_ids = await store.known(batch.unit.tx, {each.message.request_id for each in batch.items})
    for delivery in batch.items:
        if delivery.message.request_id not in known_ids:
            batch.refuse(delivery, "unknown_request", "request_id")
            continue
        await store.keep_report(batch.unit.tx, delivery.message, services=len(SERVICES))


async def forget_marks(unit: Unit, office: Office) -> int:
    """Handles whose time has come may name somebody again."""
    return await store.forget_marks(unit.tx, limit=office.letters_at_once)


async def measure(unit: Unit, office: Office) -> int:
    for service, many in (await store.unreported(unit.tx, SERVICES, late=office.late)).items():
        office.metrics.erasures_unreported.labels(service).set(many)
    return 0
