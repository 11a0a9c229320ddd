"""Every query about the catalogue. It is read in the transaction that uses it, never kept."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.catalogue.model import Active, Catalogue
from shared.runtime.database import as_json, row, rows, run

_ACTIVE = """
select version, body from catalogue_version where active_from <= clock_timestamp() order by active_from desc, version desc limit 1"""
_ABOUT = "version, note, created, created_by, active_from, activated_by"


async def active(tx: AsyncConnection) -> Active | None:
    """The version in force; None before the first was activated."""
    found = await row(tx, _ACTIVE)
    return Active(found["version"], Catalogue.model_validate(found["body"])) if found else None


async def versions(tx: AsyncConnection) -> Sequence[RowMapping]:
    return await rows(tx, f"select {_ABOUT} from catalogue_version order by version desc limit 200")


async def version(tx: AsyncConnection, number: int) -> RowMapping | None:
    return await row(tx, f"select {_ABOUT}, body from catalogue_version where version = :version", version=number)


async def draft(tx: AsyncConnection, catalogue: Catalogue, *, note: str | None, by: str) -> int:
    """Keep a new version, not yet in force; returns its number."""
    await run(tx, "lock table catalogue_version in share row exclusive mode")
    found = await rows(
        tx,
        "insert into catalogue_version (version, body, note, created_by) "
        "select coalesce(max(version), 0) + 1, cast(:body as jsonb), :note, :by from catalogue_version returning version",
        body=as_json(catalogue),
        note=note,
        by=by,
    )
    number: int = found[0]["version"]
    return number


async def activate(tx: AsyncConnection, number: int, *, at: datetime | None, by: str) -> bool:
    """In force from `at`, or from now on, also again; False where there is no such version."""
    return bool(
        await run(
            tx,
            "update catalogue_version set active_from = coalesce(cast(:at as timestamptz), clock_timestamp()), activated_by = :by "
            "where version = :version",
            version=number,
            at=at,
            by=by,
        )
    )
