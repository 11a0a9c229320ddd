"""Every query on scores and their counts."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.score.model import Tally
from scoring.score.readings import SEGMENT_GRAIN, Window
from scoring.score.tables import feedback
from scoring.score.tally import Changes
from shared.runtime.database import as_json, rows, run

BY_SEGMENT = ("day", "kind", "channel", "segment", "moment")
BY_TEAM = ("day", "kind", "team", "channel")
_NAMES = [column.name for column in feedback.columns]


async def feedback_of(tx: AsyncConnection, survey_ids: Iterable[UUID]) -> dict[UUID, RowMapping]:
    """What stands for each of these surveys that has a score."""
    found = await rows(tx, "select * from feedback where survey_id = any(:ids)", ids=list(survey_ids))
    return {each["survey_id"]: each for each in found}


async def keep_feedback(tx: AsyncConnection, scores: Sequence[Mapping[str, object]]) -> None:
    """Write what stands now, first or anew; the rows' keys are the table's columns, and the surveys are locked by the caller."""
    if not scores:
        return
    changed = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "survey_id")
    await run(
        tx,
        f"""insert into feedback ({", ".join(_NAMES)})
        select {", ".join(_NAMES)} from jsonb_populate_recordset(cast(null as feedback), cast(:rows as jsonb)) order by survey_id
        on conflict (survey_id) do update set {changed}""",
        rows=as_json(list(scores)),
    )


async def count(tx: AsyncConnection, changes: Changes) -> None:
    """Add to the counts. The last statements before the commit: today's cells are everybody's, so they are locked for one flush only."""
    if changes.by_segment:
        await _add(tx, "tally_by_segment", BY_SEGMENT, changes.by_segment)
    if changes.by_team:
        await _add(tx, "tally_by_team", BY_TEAM, changes.by_team)


async def _add(tx: AsyncConnection, table: str, cell: tuple[str, ...], added: Sequence[tuple[tuple[object, ...], Tally]]) -> None:
    names = ", ".join(cell)
    types = ", ".join(f"{name} {'date' if name == 'day' else 'text'}" for name in cell)
    await run(
        tx,
        f"""insert into {table} as t ({names}, promoters, passives, detractors)
        select {names}, promoters, passives, detractors
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(place int, {types}, promoters int, passives int, detractors int) order by place
        on conflict ({names}) do update set promoters = t.promoters + excluded.promoters,
          passives = t.passives + excluded.passives, detractors = t.detractors + excluded.detractors""",
        rows=as_json([_row(place, dict(zip(cell, key, strict=True)), tally) for place, (key, tally) in enumerate(added)]),
    )


def _row(place: int, cell: Mapping[str, object], tally: Tally) -> dict[str, object]:
    return {
        "place": place,
        **{name: str(value) for name, value in cell.items()},
        "promoters": tally.promoters,
        "passives": tally.passives,
        "detractors": tally.detractors,
    }


async def counts_by(
    tx: AsyncConnection, by: Sequence[str], *, kind: str, window: Window, teams: Iterable[str] | None = None
) -> dict[tuple[str, ...], Tally]:
    """Sums of the days of the window, per cell. `teams`: only answers of these, which only the grain with teams can tell."""
    table = "tally_by_segment" if set(by) <= SEGMENT_GRAIN and teams is None else "tally_by_team"
    names = ", ".join(by)
    found = await rows(
        tx,
        f"""select {names}, sum(promoters) as promoters, sum(passives) as passives, sum(detractors) as detractors from {table}
        where kind = :kind and day between :first and :last {"and team = any(:teams)" if teams is not None else ""} group by {names}""",
        kind=kind,
        first=window.first,
        last=window.last,
        **({"teams": list(teams)} if teams is not None else {}),
    )
    return {tuple(each[name] for name in by): Tally(each["promoters"], each["passives"], each["detractors"]) for each in found}


Counts = dict[tuple[object, ...], Tally]


async def recount(tx: AsyncConnection) -> tuple[Counts, Counts]:
    """Both grains counted anew from the scores themselves: what the counts must equal, cell by cell."""
    return await _truth(tx, BY_SEGMENT), await _truth(tx, BY_TEAM)


async def kept_counts(tx: AsyncConnection) -> tuple[Counts, Counts]:
    """Both grains as they are kept, without the cells that went back to zero."""
    segment = await rows(tx, "select * from tally_by_segment")
    team = await rows(tx, "select * from tally_by_team")
    return _tallies(segment, BY_SEGMENT), _tallies(team, BY_TEAM)


async def _truth(tx: AsyncConnection, cell: tuple[str, ...]) -> Counts:
    names = ", ".join(cell)
    found = await rows(
        tx,
        f"""select {names}, count(*) filter (where band = 'promoter') as promoters,
          count(*) filter (where band = 'passive') as passives, count(*) filter (where band = 'detractor') as detractors
        from feedback where counted group by {names}""",
    )
    return _tallies(found, cell)


def _tallies(found: Sequence[RowMapping], cell: tuple[str, ...]) -> Counts:
    counted = {tuple(each[name] for name in cell): Tally(each["promoters"], each["passives"], each["detractors"]) for each in found}
    return {key: tally for key, tally in counted.items() if tally}
