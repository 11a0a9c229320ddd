"""What is left of an erased person where no index leads: page by page through events, dead letters and messages that wait.

When nothing is left, what was looked for is forgotten, and ingest reports like the other services.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ingest.contacts import store as contacts
from ingest.erasure.handle import Office, unsealed
from ingest.erasure.model import Root, Seen, Sweep
from ingest.erasure.search import store
from ingest.erasure.store import forget_digests, keep_report, lock_contacts, mark
from ingest.erasure.traces import of_handles
from ingest.people import store as people
from ingest.people.canonical import named
from ingest.people.handle import Desk
from ingest.people.identify import admitted
from ingest.people.model import Handle, Nobody
from shared.runtime import forgetting
from shared.runtime.database import Unit
from shared.schemas import ErasureReported
from shared.topics import SERVICES, TOPICS
from shared.traces import finder

CARRIED = ("interactions.phone", "interactions.web", "interactions.chat", "customers.profiles", "interactions.completed")
"""Topics we read or write that carry handles or snapshots for as long as they are kept, and so do copies of dead letters.
`customers.changed`, which is kept for good, gets a null for each id."""


async def search(unit: Unit, office: Office) -> int:
    """One page of what one erasure still has to look through; 0 when none has anything left."""
    sweep = await store.claim(unit.tx, office.desk.sealer)
    if sweep is None:
        return 0
    roots = await store.next_events(unit.tx, sweep, limit=office.events_at_once)
    if roots is not None:
        await store.move(unit.tx, await _forget_events(unit, office, sweep, roots))
        return 1
    page = await forgetting.empty_letters(
        unit.tx, finder(sweep.traces), office.desk.sealer, after=sweep.letters_to, limit=office.letters_at_once
    )
    sweep = _counted(sweep, "dead_letters", page.emptied)
    await store.move(unit.tx, sweep, letters_to=page.next)
    if page.next is None:
        waiting = await forgetting.forget_waiting(unit.tx, finder(sweep.traces), office.desk.sealer)
        await _report(unit, _counted(sweep, "waiting", waiting))
    return 1


async def _forget_events(unit: Unit, office: Office, sweep: Sweep, roots: Collection[Root]) -> Sweep:
    """Contacts with a handle of theirs that were not told of as theirs. Where their handle is the strongest the contact is theirs, and so
    is whatever else names its customer; otherwise what names somebody else stays."""
    if not roots:
        return sweep
    await lock_contacts(unit.tx, roots)
    seen = {root: _seen(root, events, office.desk) for root, events in (await contacts.events(unit.tx, roots)).items()}
    theirs = {root for root, said in seen.items() if _is_of(sweep, {handle for each in said for handle in each.handles})}
    sweep = await _learn(unit, office, sweep, [each for root in theirs for each in seen[root]])
    forgotten = await contacts.forget_handles(unit.tx, theirs) if theirs else 0
    kept = [_kept(each, office.desk, sweep.refs) for root, said in seen.items() if root not in theirs for each in said]
    if kept:
        forgotten += await store.keep_handles(unit.tx, kept)
    await store.forget_points(unit.tx, roots, sweep.refs)
    await forget_digests(unit.tx, roots)
    return _counted(sweep, "events", forgotten)


def _seen(root: Root, events: Iterable[Any], desk: Desk) -> list[Seen]:
    written = ((each.id, unsealed(each, desk)) for each in events)
    return [Seen(root, event, said, named(said, desk.naming, platform=root[0], account=root[1]).handles) for event, said in written]


def _is_of(sweep: Sweep, handles: Collection[Handle]) -> bool:
    return isinstance(admitted(handles, [handle for handle in handles if handle.ref in sweep.refs]), Nobody)


async def _learn(unit: Unit, office: Office, sweep: Sweep, theirs: Sequence[Seen]) -> Sweep:
    """Handles that came with theirs and are nobody else's are theirs too: remembered, and looked for from the beginning."""
    new = {handle for each in theirs for handle in each.handles if handle.ref not in sweep.refs}
    if not new:
        return sweep
    await people.lock_handles(unit.tx, new)
    new -= (await people.holders(unit.tx, new)).keys()
    found = frozenset[tuple[str, str]]().union(*(of_handles(each.said, office.desk.naming) for each in theirs))
    sweep = replace(sweep, refs=sweep.refs | {handle.ref for handle in new}, traces=sweep.traces | found)
    if new:
        marked = await mark(unit.tx, new, erasure=sweep.request_id, keep=office.keep)
        await store.widen(unit.tx, sweep, traces=office.desk.sealer.seal(sorted(sweep.traces)))
        sweep = _counted(sweep, "handles", marked)
    return sweep


def _kept(seen: Seen, desk: Desk, own: Collection[str]) -> dict[str, Any]:
    """What an event may go on saying of its customer, and the refs of it; nothing where nobody else is named in it."""
    platform, account, _ = seen.root
    kept = {}
    for name, value in seen.said.items():
        handles = named({name: value}, desk.naming, platform=platform, account=account).handles
        if not handles or any(each.ref not in own for each in handles):
            kept[name] = value
    refs = [each.ref for each in seen.handles if each.ref not in own]
    return {"id": seen.event, "handles": desk.sealer.seal(kept) if refs else None, "refs": refs or None}


def _counted(sweep: Sweep, what: str, many: int) -> Sweep:
    return replace(sweep, counts={**sweep.counts, what: sweep.counts.get(what, 0) + many})


async def _report(unit: Unit, sweep: Sweep) -> None:
    """Our own part is done; like the others' reports it is read from the topic as well, which changes nothing."""
    clean_by = unit.now + max(TOPICS[topic].retention for topic in CARRIED)
    report = ErasureReported(request_id=sweep.request_id, service="ingest", counts=dict(sweep.counts), clean_by=clean_by, done=True)
    await store.searched(unit.tx, sweep.request_id)
    await keep_report(unit.tx, report, services=len(SERVICES))
    unit.send(report, key=sweep.customer_ids[0], correlation=sweep.request_id)
