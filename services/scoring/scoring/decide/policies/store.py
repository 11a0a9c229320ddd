"""Every query on policies."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.decide.first import VERSIONS, first_document
from scoring.decide.policy import Policy, Terms, parse
from scoring.errors import PolicyIsActive, PolicyMissing
from shared.runtime.audit import Actor, audit
from shared.runtime.database import as_json, row, rows, run
from shared.runtime.pipeline import Statement


def policies_in_force() -> Statement[dict[str, Policy]]:
    """By kind: the last one activated."""
    return Statement(
        """select distinct on (kind) version, kind, cast(document as text) from policy where active_from <= now()
        order by kind, active_from desc, version desc""",
        lambda found: {kind: Policy(version, kind, _terms(document)) for version, kind, document in found},
    )


@lru_cache(maxsize=64)
def _terms(document: str) -> Terms:
    """Parsed once: batch after batch is decided by the same document."""
    return parse(orjson.loads(document))


async def seed_policies(tx: AsyncConnection, *, now: datetime, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Give a new deployment its first policies, once. `changes` are its settings, by kind; parsed before they are kept."""
    documents = {kind: first_document(kind, changes.get(kind, {})) for kind in VERSIONS}
    for document in documents.values():
        parse(document)
    await run(
        tx,
        """insert into policy (version, kind, document, note, written_by, written_at, active_from)
        select version, kind, document, 'what a new deployment starts with', 'aftercall', :now, '-infinity'
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(version int, kind text, document jsonb)
        on conflict (version) do nothing""",
        now=now,
        rows=as_json([{"version": VERSIONS[kind], "kind": kind, "document": document} for kind, document in documents.items()]),
    )


async def policy(tx: AsyncConnection, version: int) -> Policy:
    """Any version, active or not; `PolicyMissing`."""
    found = await row(tx, "select version, kind, document from policy where version = :version", version=version)
    if found is None:
        raise PolicyMissing(version)
    return _policy(found)


async def policy_rows(tx: AsyncConnection, *, version: int | None = None) -> list[RowMapping]:
    """All versions, or one, the newest first."""
    found = await rows(
        tx,
        """select version, kind, note, written_by, written_at, document,
          nullif(active_from, '-infinity') as active_from, active_from is null as draft
        from policy where cast(:version as int) is null or version = :version order by version desc""",
        version=version,
    )
    return list(found)


async def draft_policy(tx: AsyncConnection, kind: str, document: Mapping[str, Any], *, note: str, by: str, now: datetime) -> int:
    """Keep a checked document as a draft; its version."""
    found = await row(
        tx,
        """insert into policy (version, kind, document, note, written_by, written_at)
        values (nextval('policy_version'), :kind, cast(:document as jsonb), :note, :by, :now) returning version""",
        kind=kind,
        document=as_json(document),
        note=note,
        by=by,
        now=now,
    )
    assert found is not None
    version: int = found["version"]
    return version


async def activate_policy(tx: AsyncConnection, version: int, *, at: datetime, who: Actor) -> None:
    """From `at` on it is in force. `PolicyMissing`, `PolicyIsActive`: what was active once is never changed."""
    if await run(tx, "update policy set active_from = :at where version = :version and active_from is null", at=at, version=version):
        await audit(tx, who, "policy.activated", subject=str(version), detail={"from": at})
        return
    await policy(tx, version)
    raise PolicyIsActive(version)


async def rules_of(tx: AsyncConnection, versions: Collection[int]) -> dict[int, list[str]]:
    """The names of the rules of these policies, in order."""
    found = await rows(
        tx, "select version, document -> 'rules' as rules from policy where version = any(:versions)", versions=list(versions)
    )
    return {each["version"]: each["rules"] for each in found}


def _policy(found: RowMapping) -> Policy:
    return Policy(found["version"], found["kind"], parse(found["document"]))
