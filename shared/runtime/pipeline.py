"""Several statements in one round trip: psycopg's pipeline on a connection of SQLAlchemy's pool."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

import psycopg
from sqlalchemy import Dialect, event, text
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T_co = TypeVar("T_co", covariant=True)
Row = tuple[Any, ...]

RESTED_S = 1.0
"""A connection that lay in the pool for longer is asked whether it lives before it is used."""

_DIALECT: Dialect = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


class NotAsked(RuntimeError):
    def __init__(self, sql: str) -> None:
        super().__init__(f"this was not asked yet, so it has no result: {sql.split(maxsplit=8)[:8]}")


class Statement(Generic[T_co]):
    """SQL with `:names`, what it is given by them, and, once it was asked, `result`: what `read` made of its rows."""

    __slots__ = ("_read", "_result", "parameters", "sql")

    def __init__(self, sql: str, read: Callable[[list[Row]], T_co], **parameters: object) -> None:
        self.sql, self.parameters, self._read = sql, parameters, read

    @property
    def is_asked(self) -> bool:
        return hasattr(self, "_result")

    @property
    def result(self) -> T_co:
        try:
            return self._result
        except AttributeError:
            raise NotAsked(self.sql) from None

    def answer(self, rows: list[Row]) -> None:
        self._result = self._read(rows)


class Transaction(AsyncConnection):
    """An open transaction with what it owes: statements nobody waits for, sent with whatever is asked next."""

    __slots__ = ("owed",)

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.owed: list[Statement[Any]] = []


def owe(tx: Transaction, sql: str, **parameters: object) -> None:
    """Do it before anything else is asked of this transaction, at the latest with its commit; that trip raises what is wrong with it."""
    tx.owed.append(Statement(sql, _nothing, **parameters))


async def settle(tx: AsyncConnection) -> None:
    """Do what is owed now."""
    if isinstance(tx, Transaction) and tx.owed:
        await together(tx)


async def together(tx: AsyncConnection, *statements: Statement[Any]) -> None:
    """Ask these in order, in one round trip, after what is owed; each sees what the ones before it did, and what others had committed
    when it began.

    Raises the DBAPIError of the first that failed; none after it was done.
    """
    all_of_them = [*tx.owed, *statements] if isinstance(tx, Transaction) else list(statements)
    if isinstance(tx, Transaction):
        tx.owed.clear()
    driver: psycopg.AsyncConnection[Row] = (await tx.get_raw_connection()).driver_connection  # type: ignore[assignment]  # ours is psycopg's
    cursors = [driver.cursor() for _ in all_of_them]
    try:
        fault = await _send(driver, cursors, all_of_them)
    except BaseException:
        await tx.invalidate()  # given up half-way: what has become of the connection nobody knows
        raise
    if fault:
        raise await _told(tx, driver, fault, sql=_failed(cursors, all_of_them)) from fault
    for statement, cursor in zip(all_of_them, cursors, strict=True):
        statement.answer(await cursor.fetchall() if cursor.description else [])


async def ask(tx: AsyncConnection, statement: Statement[T_co]) -> T_co:
    """One alone."""
    await together(tx, statement)
    return statement.result


async def _send(
    driver: psycopg.AsyncConnection[Row], cursors: Sequence[psycopg.AsyncCursor[Row]], statements: Sequence[Statement[Any]]
) -> Exception | None:
    """The first fault. It must not leave the pipeline's block: the driver would log what follows from it."""
    fault: Exception | None = None
    try:
        async with driver.pipeline():
            try:
                for statement, cursor in zip(statements, cursors, strict=True):
                    await cursor.execute(_in_driver_style(statement.sql), statement.parameters)
            except Exception as first:  # noqa: BLE001  # whatever it is, the caller raises it
                fault = first
    except psycopg.Error as last:
        return fault or last
    return fault


def _failed(cursors: Sequence[psycopg.AsyncCursor[Row]], statements: Sequence[Statement[Any]]) -> str:
    """They were answered in order, up to the one that failed."""
    return next((each.sql for each, cursor in zip(statements, cursors, strict=True) if cursor.pgresult is None), "")


async def _told(tx: AsyncConnection, driver: psycopg.AsyncConnection[Row], fault: Exception, *, sql: str) -> BaseException:
    """As SQLAlchemy tells it: the same classes, and a connection that is lost goes out of the pool."""
    if not isinstance(fault, psycopg.Error):
        return fault
    if lost := driver.closed:
        await tx.invalidate(fault)
    return DBAPIError.instance(sql, None, fault, psycopg.Error, hide_parameters=True, connection_invalidated=lost, dialect=tx.dialect)


@lru_cache(maxsize=1024)
def _in_driver_style(sql: str) -> str:
    return str(text(sql).compile(dialect=_DIALECT))


def _nothing(_: list[Row]) -> None:
    return None


def ask_the_rested(engine: AsyncEngine, *, rested_s: float = RESTED_S) -> None:
    """Replace a dead connection when it is taken out of the pool, without a round trip for one that was used just now."""

    @event.listens_for(engine.sync_engine, "checkin")
    def rests(_: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def lives(connection: Any, record: Any, _: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since <= rested_s:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as fault:
            if connection.closed:
                raise InvalidatePoolError from fault
            raise
