"""What rests of whom a contact is with: the handles sealed, and the HMACs under which they are found again."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.people.canonical import Naming, named
from shared.schemas import Sealed

Written = tuple[tuple[str, object], ...]
"""Handles as the platform wrote them, as pairs of name and value."""


class Kept(NamedTuple):
    """`handles` is the JSON of a `Sealed`."""

    handles: dict[str, str] | None
    refs: list[str] | None


NOTHING = Kept(None, None)


def keep(written: Written, platform: str, account: str, *, seal: Callable[[Any], Sealed], naming: Naming) -> Kept:
    """Raises Unprocessable for what cannot be sealed. Every event of a contact brings the same handles: worth remembering."""
    if not written:
        return NOTHING
    handles = dict(written)
    refs = named(handles, naming, platform=platform, account=account).refs
    return Kept(seal(handles).model_dump(), list(refs) or None)
