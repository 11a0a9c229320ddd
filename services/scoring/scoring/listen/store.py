"""Every query on answers as they came, and the lock that puts them in order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.listen.model import Answer, Kept, Said, Standing
from scoring.score import store as scores
from scoring.score.model import Place
from shared.runtime.database import as_json, rows, run
from shared.runtime.sealing import Sealer
from shared.schemas import Sealed, Window


async def lock_surveys(tx: AsyncConnection, survey_ids: Iterable[UUID]) -> None:
    """One answer at a time per survey. What others wrote about it is read by later statements."""
    await rows(tx, "select id from survey where id = any(:ids) order by id for no key update", ids=sorted(set(survey_ids)))


async def how_many(tx: AsyncConnection, survey_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many answers each survey has so far, of whatever became of them."""
    found = await rows(
        tx, "select survey_id, max(number) as number from answer where survey_id = any(:ids) group by survey_id", ids=list(survey_ids)
    )
    return {each["survey_id"]: each["number"] for each in found}


async def partial_answers(tx: AsyncConnection, survey_ids: Iterable[UUID], sealer: Sealer) -> dict[UUID, list[Said]]:
    """Answers without a score, oldest first."""
    found = await rows(
        tx, "select * from answer where survey_id = any(:ids) and became = 'partial' order by survey_id, number", ids=list(survey_ids)
    )
    answers: defaultdict[UUID, list[Said]] = defaultdict(list)
    for each in found:
        answers[each["survey_id"]].append(_said(each, sealer))
    return answers


async def kept(tx: AsyncConnection, survey_ids: Iterable[UUID], sealer: Sealer) -> dict[UUID, Kept]:
    """What stands for each of these surveys that has a score."""
    found = await scores.feedback_of(tx, survey_ids)
    return {survey_id: _kept(row, sealer) for survey_id, row in found.items()}


async def keep(tx: AsyncConnection, answers: Sequence[Mapping[str, object]]) -> None:
    """Append to the history; the rows' keys are the table's columns."""
    if answers:
        await run(
            tx,
            """insert into answer select r.* from jsonb_populate_recordset(cast(null as answer), cast(:rows as jsonb)) as r
            order by r.survey_id, r.number""",
            rows=as_json(list(answers)),
        )


async def history(tx: AsyncConnection, survey_id: UUID) -> Sequence[RowMapping]:
    """Every answer of a survey, in order of arrival."""
    return await rows(tx, "select * from answer where survey_id = :id order by number", id=survey_id)


async def survey_sent_as(tx: AsyncConnection, *, gateway: str, ref: str) -> UUID | None:
    """The survey that left through that gateway under its own name for the message."""
    found = await rows(tx, "select id from survey where gateway_ref = :ref and gateway = :gateway limit 1", ref=ref, gateway=gateway)
    return found[0]["id"] if found else None


def _kept(row: RowMapping, sealer: Sealer) -> Kept:
    answer = Answer(
        row["score"],
        row["revision"],
        row["answered_by"],
        row["answered_at"],
        row["amendable_until"],
        row["uncounted"],
        _unsealed(row["comment"], sealer),
        row["resolved"],
        row["callback"],
        _windows(row["callback_wish"]) or (),
        row["comment_language"],
    )
    place = Place(row["day"], row["kind"], row["channel"], row["segment"], row["moment"], row["team"])
    return Kept(Standing(answer, row["published"]), place)


def _said(row: RowMapping, sealer: Sealer) -> Said:
    return Said(
        row["channel"],
        row["answered_at"],
        row["score"],
        _unsealed(row["comment"], sealer),
        row["resolved"],
        row["callback"],
        _windows(row["callback_wish"]),
        row["language"],
    )


def _unsealed(sealed: Mapping[str, Any] | None, sealer: Sealer) -> str | None:
    return None if sealed is None else str(sealer.unseal(Sealed.model_validate(sealed)))


def _windows(kept: Sequence[Mapping[str, Any]] | None) -> tuple[Window, ...] | None:
    return None if kept is None else tuple(Window.model_validate(each) for each in kept)
