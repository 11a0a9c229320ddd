"""What is left of an erased person where no index leads: dead letters, and messages that wait. Looked for page by page after the erasure's
own transaction, because whoever takes letters up again may hold them while it waits for the person's row.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import Unit, as_json, row, rows, run
from shared.runtime.errors import Unprocessable
from shared.runtime.sealing import Sealer, SealingKeyMissing
from shared.runtime.timers import Timer
from shared.schemas import CustomerErased, ErasureReported, Sealed
from shared.topics import TOPICS
from shared.traces import Traces, finder

AT_ONCE = 200
NOBODY_YET = UUID(int=0)
Names = Callable[[Iterable[bytes | None]], bool]
"""Do a key, header values and a body name them?"""

_SEALED = re.compile(
    r'\{\s*"k"\s*:\s*"(?P<k>[^"\\]*)"\s*,\s*"c"\s*:\s*"(?P<c>[^"]*)"\s*\}|\{\s*"c"\s*:\s*"(?P<c2>[^"]*)"\s*,\s*"k"\s*:\s*"(?P<k2>[^"\\]*)"\s*\}'
)
_IDS = "select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))"
_LETTERS = "select id, key, headers, body from dead_letter where id > :after order by id limit :limit"
_WAITING = "select id, key, headers, body from waiting where id > :after order by id limit :limit"
_EMPTY = f"""
with emptied as (
  update dead_letter set key = null, headers = '[]', body = :nothing, state = 'discarded' where id in ({_IDS}) returning id)
delete from outbox where dead_letter in (select id from emptied)"""  # noqa: S608  # no value is in it
_FORGET_WAITING = f"delete from waiting where id in ({_IDS})"  # noqa: S608
_BEGIN = """
insert into forgetting (request_id, customer_id, traces, counts)
values (:request, :customer, cast(:traces as jsonb), cast(:counts as jsonb))
on conflict (request_id) do nothing"""
_CLAIM = "select * from forgetting order by asked limit 1 for update skip locked"
_MOVE = "update forgetting set letters_to = :letters_to, counts = cast(:counts as jsonb) where request_id = :request"


class Needs(Protocol):
    @property
    def sealer(self) -> Sealer: ...


D = TypeVar("D", bound=Needs)


@dataclass(frozen=True, slots=True)
class Page:
    """How many of it named them, and where the next begins; None where this was the last."""

    emptied: int
    next: UUID | None


async def empty_letters(tx: AsyncConnection, names_them: Names, sealer: Sealer, *, after: UUID, limit: int = AT_ONCE) -> Page:
    """Their fault and the hash of their bytes stay, so that the same bytes read again are not kept again; a waiting copy goes."""
    letters = await rows(tx, _LETTERS, after=after, limit=limit)
    ids = _that_name_them(letters, names_them, sealer)
    if ids:
        await run(tx, _EMPTY, ids=as_json(ids), nothing=sealer.seal_bytes(b""))
    return Page(len(ids), letters[-1]["id"] if len(letters) == limit else None)


async def forget_waiting(tx: AsyncConnection, names_them: Names, sealer: Sealer) -> int:
    """The inbox goes on knowing them, so that they are not read again."""
    ids: list[UUID] = []
    after: UUID | None = NOBODY_YET
    while after is not None:
        page = await rows(tx, _WAITING, after=after, limit=AT_ONCE)
        ids += _that_name_them(page, names_them, sealer)
        after = page[-1]["id"] if len(page) == AT_ONCE else None
    return await run(tx, _FORGET_WAITING, ids=as_json(ids)) if ids else 0


async def begin(unit: Unit, asked: CustomerErased, traces: Traces, counts: Mapping[str, int], *, sealer: Sealer) -> None:
    """In the erasure's transaction: what is still to be looked for, and what went already. `searching` reports when it is over."""
    await run(
        unit.tx,
        _BEGIN,
        request=asked.request_id,
        customer=asked.customer_ids[0],
        traces=as_json(sealer.seal(sorted(traces))),
        counts=as_json(dict(counts)),
    )


def searching(service: str, *, carried: Collection[str]) -> Timer[D]:
    """The timer of a service that looks; `carried` are the topics it reads or writes that keep what it has sealed or read of people."""
    longest = max(TOPICS[topic].retention for topic in carried)

    async def search(unit: Unit, deps: D) -> int:
        claimed = await row(unit.tx, _CLAIM)
        if claimed is None:
            return 0
        traces = frozenset((kind, value) for kind, value in deps.sealer.unseal(Sealed(**claimed["traces"])))
        names_them, counts = finder(traces), dict(claimed["counts"])
        page = await empty_letters(unit.tx, names_them, deps.sealer, after=claimed["letters_to"])
        counts["dead_letters"] = counts.get("dead_letters", 0) + page.emptied
        if page.next:
            await run(unit.tx, _MOVE, request=claimed["request_id"], letters_to=page.next, counts=as_json(counts))
            return 1
        counts["waiting"] = await forget_waiting(unit.tx, names_them, deps.sealer)
        await run(unit.tx, "delete from forgetting where request_id = :request", request=claimed["request_id"])
        report = ErasureReported(request_id=claimed["request_id"], service=service, counts=counts, clean_by=unit.now + longest, done=True)
        unit.send(report, key=claimed["customer_id"], correlation=claimed["request_id"])
        return 1

    return Timer(search)


def _that_name_them(kept: Sequence[RowMapping], names_them: Names, sealer: Sealer) -> list[UUID]:
    return [each["id"] for each in kept if names_them(_bytes(each, sealer))]


def _bytes(kept: RowMapping, sealer: Sealer) -> Iterator[bytes | None]:
    """All that came with a record, and what its body has sealed. A body that nobody has the key of any more is erased as it is."""
    yield kept["key"]
    yield from (bytes.fromhex(value) for _, value in kept["headers"])
    try:
        body = sealer.unseal_bytes(kept["body"])
    except (SealingKeyMissing, Unprocessable):
        return
    yield body
    for found in _SEALED.finditer(body.decode(errors="replace")):
        key_id, sealed = found["k"] or found["k2"] or "", found["c"] or found["c2"] or ""
        try:
            value = sealer.unseal(Sealed(k=key_id, c=sealed.replace("\\/", "/")))
        except (SealingKeyMissing, Unprocessable, ValueError):
            continue
        yield json.dumps(value, ensure_ascii=False).encode(errors="replace")
