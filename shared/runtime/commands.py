"""The command line of a service: `python -m scoring run | migrate | dead-letters | login-link | api-key | settings`, and its own."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from shared.runtime import dead_letters_command, logging, migrations, process
from shared.runtime.access import Access
from shared.runtime.broker import Broker
from shared.runtime.database import Database
from shared.runtime.errors import AftercallError
from shared.runtime.kafka import KafkaBroker
from shared.runtime.keys import NewKey, create_key, revoke_key
from shared.runtime.memory import MemoryBroker
from shared.runtime.rights import ALL_TEAMS, ROLES, SCOPES, Principal, Teams, rights
from shared.runtime.sealing import Sealer
from shared.runtime.settings import ServiceSettings, load, table

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `arguments` describes them, `run` does it and gives the exit code."""

    name: str
    words: str
    run: Callable[[argparse.Namespace, Any], int]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None


def main(
    settings: type[S], build: Callable[..., process.Service], *, more: Sequence[Command] = (), argv: Sequence[str] | None = None
) -> int:
    """`build(settings, broker=…)` is the service's `app.build`. An error with a sentence ends with exit code 2."""
    parser = argparse.ArgumentParser(prog=f"python -m {settings.SERVICE}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for each in (*_common(build), *more):
        command = commands.add_parser(each.name, help=each.words, description=each.words)
        each.arguments(command)
        command.set_defaults(run=each.run)
    given = parser.parse_args(argv)
    try:
        return int(given.run(given, load(settings)))
    except AftercallError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def broker_of(settings: ServiceSettings) -> Broker:
    """The broker the settings name."""
    if settings.broker == "memory":
        return MemoryBroker()
    return KafkaBroker(settings.kafka_bootstrap, prefix=settings.topic_prefix, session_s=settings.kafka_session_s)


def _common(build: Callable[..., process.Service]) -> list[Command]:
    def run(_: argparse.Namespace, settings: ServiceSettings) -> int:
        logging.configure(settings.log_level)
        return process.run(lambda: [build(settings, broker=broker_of(settings))])

    return [
        Command("run", "serve until SIGTERM", run),
        Command("migrate", "bring the database schema to the newest revision", _migrate, _migrate_arguments),
        Command("dead-letters", dead_letters_command.HELP, _dead_letters, dead_letters_command.arguments),
        Command("login-link", "print an address that signs a person in", _login_link, _person_arguments),
        Command("api-key", "create an API key and print it once; or revoke one", _api_key, _key_arguments),
        Command("settings", "print every setting, its default and its meaning", _settings),
    ]


def _migrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--new", metavar="WORDS", help="write a revision with what the code has and the database has not")


def _migrate(given: argparse.Namespace, settings: ServiceSettings) -> int:
    if given.new:
        migrations.new_revision(settings, given.new)
    else:
        migrations.migrate(settings)
    return 0


def _dead_letters(given: argparse.Namespace, settings: ServiceSettings) -> int:
    sealer = Sealer(settings.seal_keys, settings.pepper)

    async def told(database: Database) -> list[str]:
        async with database.transaction() as unit:
            lines: list[str] = await given.act(unit, given, sealer)
            return lines

    for line in asyncio.run(_with(settings, told)):
        _print(line)
    return 0


def _person_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", action="append", required=True, help=f"one of {', '.join(sorted(ROLES))}; may be repeated")
    parser.add_argument("--team", action="append", default=[], help="team code, or all; may be repeated")
    parser.add_argument("--name", default="Local user", help="shown on the pages")
    parser.add_argument("--ref", default="local", help="stable id of the person in the audit log")


def _login_link(given: argparse.Namespace, settings: ServiceSettings) -> int:
    teams = ALL_TEAMS if "all" in given.team else Teams(given.team)
    person = Principal("person", given.ref, given.name, rights("role", given.role, ROLES), teams)
    _print(Access(settings, _database(settings)).login_link(person))
    return 0


def _key_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scope", action="append", default=[], help=f"one of {', '.join(sorted(SCOPES))}; may be repeated")
    parser.add_argument("--name", default="-", help="whose key it is")
    parser.add_argument("--platform", help="restrict the key to one platform")
    parser.add_argument("--account", help="restrict the key to one account")
    parser.add_argument("--days", type=float, help="days until it expires")
    parser.add_argument("--replaces", metavar="ID", help="an older key that ends one day from now")
    parser.add_argument("--revoke", metavar="ID", help="revoke this key instead")


def _api_key(given: argparse.Namespace, settings: ServiceSettings) -> int:
    if given.revoke:
        return 0 if asyncio.run(_with(settings, lambda database: revoke_key(database, given.revoke))) else 1
    expires = datetime.now(UTC) + timedelta(days=given.days) if given.days else None
    new = NewKey(given.name, given.scope, platform=given.platform, account=given.account, expires=expires, replaces=given.replaces)
    _print(asyncio.run(_with(settings, lambda database: create_key(database, new))))
    return 0


def _settings(_: argparse.Namespace, settings: ServiceSettings) -> int:
    for variable, default, words in table(type(settings)):
        _print(f"{variable}\t{default}\t{words}")
    return 0


T = TypeVar("T")


async def _with(settings: ServiceSettings, work: Callable[[Database], Awaitable[T]]) -> T:
    database = _database(settings)
    try:
        return await work(database)
    finally:
        await database.close()


def _database(settings: ServiceSettings) -> Database:
    return Database(settings.database_url, schema=settings.SERVICE, pool_size=settings.pool_size, pool_wait=settings.pool_wait_s)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
