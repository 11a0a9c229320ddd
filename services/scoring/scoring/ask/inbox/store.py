"""Every query on the development inbox."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.ask.model import Outgoing
from shared.runtime.database import as_json, row, rows, run
from shared.schemas import Sealed


async def keep(tx: AsyncConnection, message: Outgoing, *, address: Sealed) -> UUID:
    """The id under which the message is kept; under a key that is there already the first stays."""
    found = await row(
        tx,
        """insert into inbox_message as kept (idempotency_key, channel, address, subject, body)
        values (:key, :channel, cast(:address as jsonb), :subject, :body)
        on conflict (idempotency_key) do update set idempotency_key = kept.idempotency_key returning kept.id""",
        key=message.key,
        channel=message.channel,
        address=as_json(address),
        subject=message.subject,
        body=message.body,
    )
    assert found is not None
    found_id: UUID = found["id"]
    return found_id


async def latest(tx: AsyncConnection, *, before: UUID | None, limit: int) -> Sequence[RowMapping]:
    """The newest first; `before` is the last id of the page before."""
    return await rows(
        tx,
        """select id, idempotency_key, channel, address, subject, body, received_at from inbox_message
        where cast(:before as uuid) is null or id < cast(:before as uuid) order by id desc limit :limit""",
        before=before,
        limit=limit,
    )


async def erase(tx: AsyncConnection, survey_ids: Sequence[UUID]) -> int:
    """The messages about these surveys; how many that were."""
    return await run(tx, "delete from inbox_message where idempotency_key = any(:keys)", keys=[str(each) for each in survey_ids])
