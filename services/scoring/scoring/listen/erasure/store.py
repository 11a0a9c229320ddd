"""What is forgotten of answers, and what else is known of those who are forgotten."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import rows, run
from shared.schemas import Sealed

_IDS_OF_THEIRS = """
select cast(id as text) as id from customer where id = any(:ids)
union select cast(id as text) from survey where customer_id = any(:ids)
union select cast(anchor as text) from decision where customer_id = any(:ids)
union select cast(case_id as text) from callback where customer_id = any(:ids)"""
_SEALED = """
select snapshot -> 'private' as sealed from customer where id = any(:ids) and snapshot ->> 'private' is not null
union all select address from survey where customer_id = any(:ids) and address <> '{}'"""
_CONTACTS = "select distinct platform, ref from decision where customer_id = any(:ids) and platform is not null and ref is not null"


async def ids_of_theirs(tx: AsyncConnection, customers: Collection[UUID]) -> list[str]:
    """Of these customers, their surveys, contacts and cases."""
    return [each["id"] for each in await rows(tx, _IDS_OF_THEIRS, ids=list(customers))]


async def sealed_of(tx: AsyncConnection, customers: Collection[UUID]) -> list[Sealed]:
    """Names and addresses of their snapshots, and the addresses they were asked at."""
    return [Sealed(**each["sealed"]) for each in await rows(tx, _SEALED, ids=list(customers))]


async def contacts_of(tx: AsyncConnection, customers: Collection[UUID]) -> list[tuple[str, str]]:
    """Platform and its own id of every contact that was decided about."""
    return [(each["platform"], each["ref"]) for each in await rows(tx, _CONTACTS, ids=list(customers))]


async def erase(tx: AsyncConnection, survey_ids: Sequence[UUID]) -> int:
    """Words and wishes go, of every answer to these surveys; day, grain and score stay. How many answers that were."""
    surveys = list(survey_ids)
    await run(
        tx,
        "update feedback set comment = null, comment_language = null, callback_wish = '[]' where survey_id = any(:surveys)",
        surveys=surveys,
    )
    return await run(
        tx,
        "update answer set comment = null, callback_wish = null, language = null where survey_id = any(:surveys)",
        surveys=surveys,
    )
