"""Somebody was faster, or the case does not allow it: what the page then says first."""

from dataclasses import dataclass

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
    who = "You, in another window," if error.by_ref == look.by.ref else error.by
    did = _DID.get(error.change, "changed this case") if error.by_ref != "routing" else "This case changed by itself"
    since = (
        clock.ago(error.at, look.now, zone=look.zone).replace(" s ago", " seconds before you").replace(" min ago", " minutes before you")
    )
    title = f"{who} {did} {since}" if error.by_ref != "routing" else f"{did}, {since.replace(' before you', ' ago')}"
    return Conflict(title, f"Nothing of yours was saved over it.{note}")
