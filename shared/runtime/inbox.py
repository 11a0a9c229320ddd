"""Which messages were taken already, by the writer's own identity (source, id); a hash of the body tells a repeat from a conflict."""

import hashlib
from collections.abc import Sequence
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import as_json, rows, run

Identity = tuple[str, str]


class Seen(Enum):
    NEW = "new"
    REPEATED = "repeated"
    CONFLICT = "conflict"


_CLAIM = """
with m as (select * from jsonb_to_recordset(cast(:messages as jsonb)) as m(source text, id text, hash bytea))
insert into inbox as i (source, id, hash) select source, id, hash from m order by source, id
on conflict (source, id) do update set hash = i.hash
returning new.source, new.id, old.id is null as fresh, new.hash"""
_RELEASE = """
delete from inbox i using jsonb_to_recordset(cast(:messages as jsonb)) as m(source text, id text)
where (i.source, i.id) = (m.source, m.id)"""


async def claim(tx: AsyncConnection, messages: Sequence[tuple[Identity, bytes]]) -> list[Seen]:
    """Take each message for this transaction. The first of an identity is new; later ones repeat it, or differ and conflict."""
    first: dict[Identity, bytes] = {}
    for identity, body in messages:
        first.setdefault(identity, hashlib.sha256(body).digest())
    asked = [{"source": source, "id": name, "hash": digest} for (source, name), digest in first.items()]
    found = await rows(tx, _CLAIM, messages=as_json(asked))
    kept = {(each["source"], each["id"]): (each["fresh"], bytes(each["hash"])) for each in found}
    return _judged(messages, kept)


async def release(tx: AsyncConnection, identities: Sequence[Identity]) -> None:
    """What this transaction took and then refused is new to whoever brings it again."""
    if identities:
        await run(tx, _RELEASE, messages=as_json([{"source": source, "id": name} for source, name in identities]))


def _judged(messages: Sequence[tuple[Identity, bytes]], kept: dict[Identity, tuple[bool, bytes]]) -> list[Seen]:
    judged, taken = [], set()
    for identity, body in messages:
        fresh, digest = kept[identity]
        if hashlib.sha256(body).digest() != digest:
            judged.append(Seen.CONFLICT)
        elif fresh and identity not in taken:
            judged.append(Seen.NEW)
        else:
            judged.append(Seen.REPEATED)
        taken.add(identity)
    return judged
