"""Every query on surveys."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from shared.runtime.database import row, rows
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.ask.model import State, Survey

_COLUMNS = ", ".join(f"survey.{field.name}" for field in fields(Survey))


async def survey_by_id(tx: AsyncConnection, survey_id: UUID) -> Survey | None:
    return _one(await row(tx, f"select {_COLUMNS} from survey where id = :id", id=survey_id))


async def survey_by_token_hash(tx: AsyncConnection, token_hash: bytes) -> Survey | None:
    """By SHA-256 of the token. Also an expired survey: the caller answers 410."""
    return _one(await row(tx, f"select {_COLUMNS} from survey where token_hash = :token_hash", token_hash=token_hash))


async def surveys_to_address(tx: AsyncConnection, address_ref: str, *, limit: int = 20) -> list[Survey]:
    """What may have reached that address, the one last sent there first."""
    found = await rows(
        tx,
        f"""select {_COLUMNS} from survey where address_ref = :ref and state in ('sending', 'sent', 'unknown')
        order by coalesce(sent_at, asked_at) desc, id desc limit :limit""",
        ref=address_ref,
        limit=limit,
    )
    return [_survey(each) for each in found]


async def latest_survey_to_address(tx: AsyncConnection, address_ref: str) -> Survey | None:
    """The one last sent there, open or not."""
    found = await surveys_to_address(tx, address_ref, limit=1)
    return found[0] if found else None


async def survey_of_contact(tx: AsyncConnection, *, platform: str, account: str, ref: str) -> Survey | None:
    """The tNPS survey about that contact of the platform; of several episodes the latest asked."""
    found = await rows(
        tx,
        f"""select {_COLUMNS} from survey join decision on decision.survey_id = survey.id
        where decision.ref = :ref and decision.account = :account and decision.platform = :platform and survey.kind = 'tnps'
        order by survey.asked_at desc limit 1""",
        ref=ref,
        account=account,
        platform=platform,
    )
    return _survey(found[0]) if found else None


async def surveys_of(tx: AsyncConnection, survey_ids: Sequence[UUID]) -> dict[UUID, Survey]:
    found = await rows(tx, f"select {_COLUMNS} from survey where id = any(:ids)", ids=list(survey_ids))
    return {each["id"]: _survey(each) for each in found}


async def mark_delivered(tx: AsyncConnection, survey_id: UUID, *, at: datetime) -> bool:
    """Keep the first time a receipt said it was delivered; False when it was known already."""
    found = await row(
        tx, "update survey set delivered_at = :at where id = :id and delivered_at is null returning id", id=survey_id, at=at
    )
    return found is not None


def _one(found: RowMapping | None) -> Survey | None:
    return None if found is None else _survey(found)


def _survey(found: RowMapping) -> Survey:
    return Survey(**{**found, "state": State(found["state"])})
