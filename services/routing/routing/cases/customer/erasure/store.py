"""What is known of those who are forgotten that would name them elsewhere."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import as_json, rows
from shared.schemas import Sealed

_IDS = "(select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"

_IDS_OF_THEIRS = f"""
select cast(id as text) as id from customer where id in {_IDS}
union select cast(id as text) from cases where customer_id in {_IDS}
union select jsonb_array_elements_text(survey_ids || interaction_ids) from cases where customer_id in {_IDS}
union select cast(survey_id as text) from answer where customer_id in {_IDS}
union select cast(anchor as text) from answer where customer_id in {_IDS}"""
_SEALED = f"""
select snapshot -> 'private' as sealed from customer where id in {_IDS} and snapshot ->> 'private' is not null
union all select customer -> 'private' from cases where customer_id in {_IDS} and customer ->> 'private' is not null
union all select feedback -> 'customer' -> 'private' from answer
where customer_id in {_IDS} and feedback -> 'customer' ->> 'private' is not null"""
_CONTACTS = f"""
select feedback -> 'contact' ->> 'platform' as platform, feedback -> 'contact' ->> 'ref' as ref from answer
where customer_id in {_IDS} and feedback -> 'contact' ->> 'ref' is not null
union select platform_ref ->> 'platform', platform_ref ->> 'ref' from attempt
where platform_ref ->> 'ref' is not null and case_id in (select id from cases where customer_id in {_IDS})"""


async def ids_of_theirs(tx: AsyncConnection, customers: Iterable[UUID]) -> list[str]:
    """Of these customers, their cases, surveys and contacts."""
    return [each["id"] for each in await rows(tx, _IDS_OF_THEIRS, ids=as_json(sorted(set(customers))))]


async def sealed_of(tx: AsyncConnection, customers: Iterable[UUID]) -> list[Sealed]:
    """Names and addresses of their snapshots, as they are now and as they were when a case or an answer came."""
    return [Sealed(**each["sealed"]) for each in await rows(tx, _SEALED, ids=as_json(sorted(set(customers))))]


async def contacts_of(tx: AsyncConnection, customers: Iterable[UUID]) -> list[tuple[str, str]]:
    """Platform and its own id of every contact they answered about, and of every call to them."""
    return [(each["platform"], each["ref"]) for each in await rows(tx, _CONTACTS, ids=as_json(sorted(set(customers))))]
