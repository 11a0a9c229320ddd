"""Answers in the database."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.cases.answer.model import Answer
from shared.runtime.database import as_json, rows, run

_ANSWER = TypeAdapter(Answer)

_SAVE = """
insert into answer as known select * from jsonb_populate_recordset(cast(null as answer), cast(:rows as jsonb)) order by survey_id
on conflict (survey_id) do update set revision = excluded.revision, score = excluded.score, band = excluded.band,
  counted = excluded.counted, answered_at = excluded.answered_at, customer_id = excluded.customer_id,
  team = excluded.team, channel = excluded.channel,
  case_id = coalesce(excluded.case_id, known.case_id), feedback = coalesce(excluded.feedback, known.feedback)
where known.revision < excluded.revision"""


async def known(tx: AsyncConnection, surveys: Iterable[UUID]) -> dict[UUID, Answer]:
    """What is kept of these surveys."""
    sql = "select * from answer where survey_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"
    found = await rows(tx, sql, ids=as_json(sorted(set(surveys))))
    return {each["survey_id"]: _ANSWER.validate_python(dict(each)) for each in found}


async def of_case(tx: AsyncConnection, case_id: UUID) -> list[Answer]:
    """The answers a case is about, oldest first."""
    found = await rows(tx, "select * from answer where case_id = :id order by answered_at, survey_id", id=case_id)
    return [_ANSWER.validate_python(dict(each)) for each in found]


async def save(tx: AsyncConnection, answers: Sequence[Answer]) -> None:
    """Keep these answers; a lower revision than the known one changes nothing."""
    if answers:
        await run(tx, _SAVE, rows=as_json([_written(each) for each in answers]))


async def move_to(tx: AsyncConnection, *, case: UUID, into: UUID) -> None:
    """The answers of a merged case are from now on the older case's."""
    await run(tx, "update answer set case_id = :into where case_id = :case", case=case, into=into)


async def erase(tx: AsyncConnection, customers: Iterable[UUID]) -> int:
    """Words and contacts go, and whose answer it was; score, band, team and time stay, so that counts add up."""
    sql = """update answer set feedback = null, customer_id = null
      where customer_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"""
    return await run(tx, sql, ids=as_json(sorted(set(customers))))


async def rename_customer(tx: AsyncConnection, *, old: UUID, new: UUID) -> None:
    await run(tx, "update answer set customer_id = :new where customer_id = :old", old=old, new=new)


def _written(answer: Answer) -> dict[str, Any]:
    return _ANSWER.dump_python(answer, mode="json", by_alias=True)  # type: ignore[no-any-return]
