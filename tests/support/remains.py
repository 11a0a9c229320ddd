"""What a service's database still holds of somebody: plain, in hex, and in whatever it has sealed."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from shared.runtime.database import Database, rows
from shared.runtime.errors import Unprocessable
from shared.runtime.sealing import Sealer, SealingKeyMissing
from shared.schemas import Sealed

_TABLES = "select table_name from information_schema.tables where table_schema = current_schema() order by 1"
_HEX = re.compile(r"([0-9a-f]{2})+")


async def remains(database: Database, sealer: Sealer, values: Sequence[str], *, besides: Collection[str] = ()) -> list[str]:
    """The table of each row in which one of the values is, in any writing; `besides` names tables that are not looked at."""
    sought = [value.casefold() for value in values]

    def holds(row: object) -> bool:
        return any(value in text.casefold() for text in _texts(row, sealer) for value in sought)

    found: list[str] = []
    async with database.transaction() as unit:
        tables = [each["table_name"] for each in await rows(unit.tx, _TABLES)]
        for table in tables:
            if table not in besides:
                found += [table for row in await rows(unit.tx, f'select to_jsonb(t) as row from "{table}" t') if holds(row["row"])]
    return found


def _texts(value: object, sealer: Sealer) -> Iterator[str]:
    match value:
        case {"k": str(k), "c": str(c)}:
            yield json.dumps(sealer.unseal(Sealed(k=k, c=c)), ensure_ascii=False)
        case dict():
            yield from _texts([*value.keys(), *value.values()], sealer)
        case list():
            for each in value:
                yield from _texts(each, sealer)
        case str():
            yield value
            yield from _within(value, sealer)
        case _:
            yield str(value)


def _readable(value: bytes, sealer: Sealer) -> Iterator[str]:
    yield value.decode(errors="replace")
    if (opened := _tried(lambda: sealer.unseal_bytes(value))) is not None:
        yield opened.decode(errors="replace")


def _within(text: str, sealer: Sealer) -> Iterator[str]:
    """Bytes, JSON in a text column, bytes written in hex."""
    if text.startswith("\\x"):
        yield from _readable(bytes.fromhex(text[2:]), sealer)
    elif text.startswith(("{", "[")):
        yield from _texts(_tried(lambda: json.loads(text)), sealer)
    elif _HEX.fullmatch(text):
        yield bytes.fromhex(text).decode(errors="replace")


def _tried(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (Unprocessable, SealingKeyMissing, ValueError):
        return None
