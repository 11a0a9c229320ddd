"""Somebody was faster, or the case does not allow it: what the page then says first."""

from dataclasses import dataclass

from routing.cases.model import SYSTEM
from routing.console import clock
from routing.console.look import Look
from routing.errors import Changed, Refused

_DID = {
    "assigned": "claimed this case",
    "released": "gave this case back",
    "attempted": "logged a call on this case",
    "resolved": "resolved this case",
    "closed": "closed this case",
    "reopened": "reopened this case",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    title: str
    words: str


def conflict(error: Changed | Refused, look: Look, *, kept: bool) -> Conflict:
    """Nothing was saved; what was typed is still in the form."""
    note = " Your note is still in the form below." if kept else ""
    if not isinstance(error, Changed):
        return Conflict(str(error), f"Nothing of yours was saved.{note}")
    kept_words = f"Nothing of yours was saved over it.{note}"
    if error.by_ref == SYSTEM.ref:
        return Conflict("This case changed by itself while you looked", kept_words)
    who = "You, in another window," if error.by_ref == look.by.ref else error.by
    since = _before(clock.ago(error.at, look.now, zone=look.zone))
    return Conflict(f"{who} {_DID.get(error.change, 'changed this case')} {since}", kept_words)


def _before(ago: str) -> str:
    """ "8 s ago" as "8 seconds before you"."""
    close = {"0 s ago": "just before you", "1 s ago": "a second before you", "1 min ago": "a minute before you"}
    return close.get(ago) or ago.replace(" s ago", " seconds before you").replace(" min ago", " minutes before you")
