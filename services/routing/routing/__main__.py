"""`python -m routing run | migrate | dead-letters | login-link | api-key | settings | policy FILE | rota FILE`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from routing.app import build
from routing.cases import store as cases
from routing.cases.policy import CasePolicy
from routing.errors import DoesNotFit
from routing.rota import store as rotas
from routing.rota.model import Rota
from routing.settings import Settings
from shared.runtime.audit import CommandLine, audit
from shared.runtime.commands import Command, main
from shared.runtime.database import Database, Unit

BY = CommandLine()
Document = TypeVar("Document", CasePolicy, Rota)


def _policy(given: argparse.Namespace, settings: Settings) -> int:
    """Cases opened from now on name this version."""
    body = _read(given.file, CasePolicy).model_dump(mode="json", by_alias=True, exclude={"version"})

    async def activated(unit: Unit) -> int:
        version = await cases.put_in_force(unit.tx, body, by=BY.ref, at=unit.now)
        await audit(unit.tx, BY, "policy.activated", subject=str(version))
        return version

    return _said("policy", _in_transaction(settings, activated))


def _rota(given: argparse.Namespace, settings: Settings) -> int:
    rota = _read(given.file, Rota)

    async def activated(unit: Unit) -> int:
        version = await rotas.draft(unit.tx, rota, by=BY.ref)
        await rotas.activate(unit.tx, version, by=BY.ref, at=unit.now)
        await audit(unit.tx, BY, "rota.activated", subject=str(version))
        return version

    return _said("rota", _in_transaction(settings, activated))


def _said(what: str, version: int) -> int:
    sys.stdout.write(f"{what} version {version} is in force\n")
    return 0


def _read(file: Path, kind: type[Document]) -> Document:
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise DoesNotFit(str(file), [(_path(each["loc"]), each["msg"]) for each in error.errors(include_input=False)]) from None
    except OSError as error:
        raise DoesNotFit(str(file), [("", error.strerror or "cannot be read")]) from None


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, place))


def _in_transaction(settings: Settings, work: Callable[[Unit], Awaitable[int]]) -> int:
    async def done() -> int:
        database = Database(settings.database_url, schema="routing", pool_size=1)
        try:
            async with database.transaction() as unit:
                return await work(unit)
        finally:
            await database.close()

    return asyncio.run(done())


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON")


COMMANDS = (
    Command("policy", "check a case policy and put it in force as the next version", _policy, _file),
    Command("rota", "check a rota and put it in force as the next version", _rota, _file),
)

if __name__ == "__main__":
    sys.exit(main(Settings, build, more=COMMANDS))
