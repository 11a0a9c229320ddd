"""Alerts in the database. `teams` is a set of codes, or None for somebody who may see all teams."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.alerts.group import News
from routing.alerts.model import Alert, Outgoing, Standing
from shared.runtime.database import as_json, row, rows, run

_ALERT = TypeAdapter(Alert)
_NAMES = tuple(field.name for field in fields(Alert))
_CHANGING = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "id")

_SAVE = f"""
insert into alert ({", ".join(_NAMES)}) select {", ".join(_NAMES)} from jsonb_populate_recordset(cast(null as alert), cast(:rows as jsonb))
on conflict (id) do update set {_CHANGING}"""

_WAITING = """left join lateral (
  select count(*) as waiting, min(c.due_at) as oldest_due_at from alert_case l join cases c on c.id = l.case_id
  where l.alert_id = a.id and c.state in ('open', 'attempting') and c.owner is null and c.route <> 'hold_out') w on true"""

_OF_TEAMS = "(cast(:teams as jsonb) is null or cast(:teams as jsonb) ? a.team)"

_CLAIM = """
with due as (select id from alert where next_on <= :now and (lease_until is null or lease_until <= :now)
  order by next_on, id limit :limit for update skip locked)
update alert a set lease_until = :lease_until from due where a.id = due.id returning a.*"""


async def alarmed(tx: AsyncConnection, cases: Iterable[UUID]) -> frozenset[UUID]:
    """Those of these cases that had a critical alert."""
    sql = """select distinct l.case_id from alert_case l join alert a on a.id = l.alert_id where a.kind = 'critical'
      and l.case_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"""
    given = sorted(set(cases))
    return frozenset(each["case_id"] for each in await rows(tx, sql, ids=as_json(given))) if given else frozenset()


async def running(tx: AsyncConnection, of: Iterable[tuple[str, str]], *, since: datetime) -> dict[tuple[str, str], Alert]:
    """The group of each team and channel that had news after `since`, locked. Until the end nobody else begins or finds these."""
    given = [{"team": team, "channel": channel} for team, channel in sorted(set(of))]
    if not given:
        return {}
    locking = """select pg_advisory_xact_lock(hashtextextended(name, 0)) from (
      select 'alert ' || team || ' ' || channel as name from jsonb_to_recordset(cast(:of as jsonb)) as g(team text, channel text) order by 1
    ) as named"""
    await rows(tx, locking, of=as_json(given))
    sql = """select a.* from alert a join jsonb_to_recordset(cast(:of as jsonb)) as g(team text, channel text) using (team, channel)
      where kind = 'unhappy' and last_at > :since order by last_at, id for update of a"""
    found = [alert_of(each) for each in await rows(tx, sql, of=as_json(given), since=since)]
    return {(alert.team, alert.channel): alert for alert in found}


async def save(tx: AsyncConnection, alerts: Sequence[Alert]) -> None:
    if alerts:
        await run(tx, _SAVE, rows=as_json([_written(each) for each in alerts]))


async def add_cases(tx: AsyncConnection, alert: Alert, found: Iterable[News]) -> None:
    """These cases stand behind the alert."""
    sql = """insert into alert_case (alert_id, case_id)
      select :alert, cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)) on conflict do nothing"""
    await run(tx, sql, alert=alert.id, ids=as_json([each.case_id for each in found]))


async def claim(tx: AsyncConnection, *, now: datetime, lease_until: datetime, limit: int) -> list[Outgoing]:
    """What is due for a message, under a lease; also what somebody else's expired lease left, since that may never have arrived."""
    claimed = [alert_of(each) for each in await rows(tx, _CLAIM, now=now, lease_until=lease_until, limit=limit)]
    sql = f"""select a.id, w.oldest_due_at from alert a {_WAITING}
      where a.id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"""
    found = await rows(tx, sql, ids=as_json([each.id for each in claimed])) if claimed else []
    oldest = {each["id"]: each["oldest_due_at"] for each in found}
    return [Outgoing(each, oldest[each.id], at=now) for each in claimed]


async def leased(tx: AsyncConnection, alert: Alert) -> Alert | None:
    """The alert as it is now, locked; None when this lease is no longer the one."""
    found = await row(tx, "select * from alert where id = :id and lease_until = :lease for update", id=alert.id, lease=alert.lease_until)
    return alert_of(found) if found else None


async def locked(tx: AsyncConnection, alert_id: UUID, *, teams: frozenset[str] | None) -> Alert | None:
    """One alert, locked; None as well when it is another team's."""
    sql = f"select a.* from alert a where a.id = :id and {_OF_TEAMS} for update"
    found = await row(tx, sql, id=alert_id, teams=_teams(teams))
    return alert_of(found) if found else None


async def standing(tx: AsyncConnection, alert_id: UUID, *, teams: frozenset[str] | None) -> Standing | None:
    sql = f"select a.*, w.waiting, w.oldest_due_at from alert a {_WAITING} where a.id = :id and {_OF_TEAMS}"
    found = await row(tx, sql, id=alert_id, teams=_teams(teams))
    return _standing(found) if found else None


async def newest(
    tx: AsyncConnection, *, teams: frozenset[str] | None, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[Standing]:
    """Alerts, newest first; `before` is where the page before ended."""
    going_on = "and (a.opened_at, a.id) < (:opened_at, :id)" if before else ""
    sql = f"""select a.*, w.waiting, w.oldest_due_at from alert a {_WAITING} where {_OF_TEAMS} {going_on}
      order by a.opened_at desc, a.id desc limit :limit"""
    place = {"opened_at": before[0], "id": before[1]} if before else {}
    return [_standing(each) for each in await rows(tx, sql, teams=_teams(teams), limit=limit, **place)]


async def unanswered(tx: AsyncConnection, *, teams: frozenset[str] | None, quiet_since: datetime, limit: int = 100) -> list[Standing]:
    """What a console shows: alerts with customers whom nobody has taken; an acknowledged one only while its group still runs."""
    sql = f"""select a.*, w.waiting, w.oldest_due_at from alert a {_WAITING}
      where {_OF_TEAMS} and w.waiting > 0 and (a.acknowledged_at is null or a.last_at > :quiet_since)
      order by a.acknowledged_at is not null, a.kind <> 'critical', a.count desc, a.opened_at, a.id limit :limit"""
    return [_standing(each) for each in await rows(tx, sql, teams=_teams(teams), quiet_since=quiet_since, limit=limit)]


async def cases_of(tx: AsyncConnection, alert_id: UUID) -> list[UUID]:
    found = await rows(tx, "select case_id from alert_case where alert_id = :id order by case_id", id=alert_id)
    return [each["case_id"] for each in found]


def alert_of(found: RowMapping) -> Alert:
    return _ALERT.validate_python({name: found[name] for name in _NAMES})


def _standing(found: RowMapping) -> Standing:
    return Standing(alert_of(found), waiting=found["waiting"], oldest_due_at=found["oldest_due_at"])


def _written(alert: Alert) -> dict[str, Any]:
    return _ALERT.dump_python(alert, mode="json")  # type: ignore[no-any-return]


def _teams(teams: frozenset[str] | None) -> str | None:
    return as_json(teams) if teams is not None else None
