"""Which changes of a schema its readers and writers survive.

Old readers meet new messages and new readers meet old ones, for as long as a topic keeps them. So within a version a field may be added
as optional; it is never removed, renamed, tightened, loosened or made optional. Anything else is a new version: a new type, a new file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

PROSE = {"title", "description", "examples"}
OBJECT = {"properties", "required", "$defs"}
LISTS = {"anyOf", "prefixItems"}


@dataclass(frozen=True)
class Break:
    """One change that a reader or a writer of the same version would not survive."""

    path: str
    change: str

    def __str__(self) -> str:
        return f"{self.path}: {self.change}. Within a version a field may only be added as optional; publish a new version instead."


def breaks(committed: Schema, current: Schema) -> list[Break]:
    """What `current` would break for whoever knows `committed`; empty if nothing."""
    return list(Comparison(committed.get("$defs", {}), current.get("$defs", {})).of("", committed, current))


@dataclass(frozen=True)
class Comparison:
    """Walks two JSON Schemas side by side; the parts they refer to are looked up in each one's own definitions."""

    old_parts: dict[str, Schema]
    new_parts: dict[str, Schema]

    def of(self, path: str, old: Schema, new: Schema) -> Iterator[Break]:
        old, new = resolved(old, self.old_parts), resolved(new, self.new_parts)
        yield from self.fields(path, old, new)
        for keyword in sorted((old.keys() | new.keys()) - PROSE - OBJECT):
            yield from self.keyword(path, keyword, old=old.get(keyword), new=new.get(keyword))

    def fields(self, path: str, old: Schema, new: Schema) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            here = f"{path}.{name}".lstrip(".")
            if name not in after:
                yield Break(here, "removed or renamed")
                continue
            if (name in must_before) != (name in must_after):
                yield Break(here, "now required" if name in must_after else "no longer required")
            yield from self.of(here, before[name], after[name])
        for name in sorted(must_after - before.keys()):
            yield Break(f"{path}.{name}".lstrip("."), "added as required")

    def keyword(self, path: str, keyword: str, *, old: Any, new: Any) -> Iterator[Break]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.of(f"{path}[]", old, new)
        elif keyword in LISTS and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                yield from self.of(path, before, after)
        elif old != new:
            yield Break(path or "the message", f"{keyword} changed from {shown(old)} to {shown(new)}")


def resolved(schema: Schema, parts: dict[str, Schema]) -> Schema:
    """The schema with what it refers to put in place."""
    if "$ref" not in schema:
        return schema
    return {**parts[schema["$ref"].rpartition("/")[2]], **{word: value for word, value in schema.items() if word != "$ref"}}


def shown(value: Any) -> str:
    """Short enough to read in one line."""
    return "nothing" if value is None else str(value)[:80]
