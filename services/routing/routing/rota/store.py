"""The rota's versions in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.rota.model import Rota
from shared.runtime.database import as_json, row, rows, run


async def active(tx: AsyncConnection, now: datetime) -> Rota | None:
    """The version in force: the one activated last; None before the first."""
    sql = "select version, body from rota_version where active_from <= :now order by active_from desc, version desc limit 1"
    return _rota(await row(tx, sql, now=now))


async def version(tx: AsyncConnection, number: int) -> Rota | None:
    return _rota(await row(tx, "select version, body from rota_version where version = :version", version=number))


async def versions(tx: AsyncConnection) -> Sequence[RowMapping]:
    """Every version without its body, newest first."""
    return await rows(tx, "select version, created_at, created_by, active_from, activated_by from rota_version order by version desc")


async def draft(tx: AsyncConnection, rota: Rota, *, by: str) -> int:
    """Keep a rota as the next version, not yet in force; returns its number."""
    await run(tx, "lock table rota_version in share row exclusive mode")
    sql = """insert into rota_version (version, body, created_by)
      select coalesce(max(version), 0) + 1, cast(:body as jsonb), :by from rota_version returning version"""
    made = await row(tx, sql, body=as_json(rota.model_dump(mode="json", exclude={"version"})), by=by)
    assert made is not None
    return int(made["version"])


async def activate(tx: AsyncConnection, number: int, *, by: str, at: datetime) -> bool:
    """Put a version in force; False where there is none."""
    sql = "update rota_version set active_from = :at, activated_by = :by where version = :version"
    return await run(tx, sql, version=number, by=by, at=at) == 1


def _rota(found: RowMapping | None) -> Rota | None:
    return Rota(**found["body"], version=found["version"]) if found else None
