"""Which fields of a payload its reading rests on: each is taken away in turn, and what then reads otherwise was used.

No adapter has to tell, so nothing can be told wrong. Of two fields where the second only stands in for the first, the first shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from pydantic import JsonValue
from pydantic_core import to_json

from ingest.normalise.decode import decode
from ingest.normalise.model import Event, Facts, Raw, Reading
from ingest.normalise.reading import read
from ingest.normalise.unreadable import Unreadable

MOST_FIELDS = 600
_NAMES = 3
"""More fields than this do not name an event: its identity is made from the bytes, and changes with each of them."""

Step = str | int
Path = tuple[Step, ...]


def used(raw: Raw) -> list[str] | None:
    """Dotted paths in the order of the payload; None where it is no JSON or has more than 600 fields.

    A text that is itself JSON is looked into; its fields follow an arrow.
    """
    try:
        value = decode(raw.body or b"")
    except Unreadable:
        return None
    leaves = list(_leaves(value))
    if len(leaves) > MOST_FIELDS:
        return None
    meaning, identity = _essence(read(raw))
    changed = [_essence(read(replace(raw, body=to_json(_without(value, path))))) for path in leaves]
    names = [path for path, (means, names) in zip(leaves, changed, strict=True) if means == meaning and names != identity]
    told = [path for path, (means, _) in zip(leaves, changed, strict=True) if means != meaning or (path in names and len(names) <= _NAMES)]
    return [_written(path) for path in told]


def _essence(readings: Sequence[Reading]) -> tuple[list[object], list[object]]:
    """What is said, and under which identity."""
    events = [each for each in readings if isinstance(each, Event)]
    return [_meaning(each) for each in readings], [(each.id, each.version, each.facts.get("version")) for each in events]


def _meaning(reading: Reading) -> object:
    if not isinstance(reading, Event):
        return reading
    facts = {name: value for name, value in reading.facts.items() if name != "version"}
    return replace(reading, hash=b"", id="", version="", facts=cast("Facts", facts))


def _leaves(value: JsonValue, path: Path = ()) -> Iterator[Path]:
    held = _within(value)
    if held is not None:
        yield from _leaves(held, (*path, "→"))
    elif isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from _leaves(each, (*path, place))
    elif path:
        yield path


def _within(value: JsonValue) -> JsonValue | None:
    """The document in a text that is one."""
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return None
    try:
        held = decode(value.encode())
    except (Unreadable, UnicodeEncodeError):
        return None
    return held or None


def _without(value: JsonValue, path: Path) -> JsonValue:
    step, rest = path[0], path[1:]
    if step == "→" and isinstance(value, str):
        return to_json(_without(_within(value), rest)).decode() if rest else None
    if isinstance(value, list) and isinstance(step, int):
        return [*value[:step], *([_without(value[step], rest)] if rest else []), *value[step + 1 :]]
    if isinstance(value, dict) and isinstance(step, str):
        kept = {name: each for name, each in value.items() if name != step}
        return {name: _without(each, rest) if name == step else each for name, each in value.items()} if rest else kept
    return value


def _written(path: Path) -> str:
    words = ""
    for step in path:
        words += f"[{step}]" if isinstance(step, int) else "→" if step == "→" else f"{'.' if words and words[-1] != '→' else ''}{step}"
    return words
