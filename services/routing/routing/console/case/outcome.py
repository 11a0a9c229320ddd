"""The form about a call: what can be chosen, what the button then does, and what was filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routing.cases.model import Outcome
from routing.cases.work.model import Call
from routing.console.words import CAUSES

NOTE_LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Choice:
    """`settles` asks for the cause, `later` for a time; `does` is what the button says it will do."""

    value: str
    words: str
    key: str
    does: str
    settles: bool = False
    later: bool = False


CHOICES = (
    Choice("reached_resolved", "Reached, solved", "1", "Save and resolve", settles=True),
    Choice("reached_open", "Reached, more to do", "2", "Save, more to do"),
    Choice("reschedule", "Call again later", "3", "Save, call again later", later=True),
    Choice("no_answer", "No answer", "4", "Save, try again"),
    Choice("voicemail", "Left a voicemail", "5", "Save, try again"),
    Choice("wrong_number", "Wrong number", "6", "Save, drop this number"),
    Choice("declined", "Declined", "7", "Save and close"),
    Choice("do_not_call", "Never call again", "8", "Save and close"),
)
CAUSE_KEYS = dict(zip(CAUSES, "QWERT", strict=True))
_REACHED = {"reached_resolved": True, "reached_open": False}
_KNOWN = frozenset(choice.value for choice in CHOICES)
_ERRORS = {
    "outcome": "Say what happened",
    "next_at": "Say when to call again, later than now",
    "root_cause": "Choose one of the causes",
    "note": f"Keep the note under {NOTE_LONGEST:,} characters",
}


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent; what does not fit is named, what was typed is kept. `attempt_id` makes sending it twice harmless."""

    attempt_id: str
    outcome: str = ""
    root_cause: str = ""
    note: str = ""
    next_at: str = ""
    errors: Mapping[str, str] | None = None

    def error(self, field: str) -> str | None:
        return (self.errors or {}).get(field)


def call(filled: Filled, *, zone: str, now: datetime) -> Call | Filled:
    """The call the form tells of, or the form again with its errors."""
    next_at = moment(filled.next_at, zone=zone)
    wrong = [
        *(["outcome"] if filled.outcome not in _KNOWN else []),
        *(["next_at"] if filled.outcome == Outcome.RESCHEDULE and (next_at is None or next_at <= now) else []),
        *(["root_cause"] if filled.root_cause and filled.root_cause not in CAUSES else []),
        *(["note"] if len(filled.note) > NOTE_LONGEST else []),
    ]
    if wrong:
        return Filled(
            filled.attempt_id,
            outcome=filled.outcome,
            root_cause=filled.root_cause,
            note=filled.note,
            next_at=filled.next_at,
            errors={field: _ERRORS[field] for field in wrong},
        )
    return Call(
        attempt_id=filled.attempt_id,
        outcome=Outcome.REACHED.value if filled.outcome in _REACHED else filled.outcome,
        resolved=_REACHED.get(filled.outcome),
        root_cause=filled.root_cause if filled.outcome == "reached_resolved" and filled.root_cause else None,
        next_at=next_at if filled.outcome == Outcome.RESCHEDULE else None,
        note=filled.note or None,
    )


def moment(written: str, *, zone: str) -> datetime | None:
    """What a browser's date and time field says, in the zone of whoever filled it in."""
    try:
        return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
