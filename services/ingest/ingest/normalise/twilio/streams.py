"""Event Streams (`com.twilio.taskrouter.…`), and the older event callback, whose fields are the same in other letters.

In Twilio's own samples `datacontenttype` holds a date, `time` is missing, and the event inside is always the same: only the
CloudEvent's type says what happened.
"""

import re
from dataclasses import dataclass

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, part, required_inside, text
from ingest.normalise.model import Event, Facts, Ignored, Kind, Raw
from ingest.normalise.times import Moment, first_time, ms_of
from ingest.normalise.twilio import words

LEAD = "com.twilio.taskrouter."

_TASK = {
    "task.created": Kind.STARTED,
    "task.updated": Kind.STARTED,
    "task-queue.entered": Kind.QUEUED,
    "task.completed": Kind.ENDED,
    "task.canceled": Kind.ENDED,
    "task.deleted": Kind.ENDED,
    "task.system-deleted": Kind.ENDED,
}
_RESERVATION = {
    "reservation.accepted": Kind.CONNECTED,
    "reservation.wrapup": Kind.ENDED,
    "reservation.completed": Kind.ENDED,
}
_SPOKEN = ("reservation.wrapup", "reservation.completed", "task.completed")
"""Only what somebody accepted comes to these; that it was accepted may be told later, or never. What nobody took is canceled."""
_TRANSFER = {"task.transfer-completed": Kind.TRANSFERRED}
"""One that was begun may still fail, and the agent be left with the customer."""
_STEPS = _TASK | _RESERVATION | _TRANSFER

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def adapt_event(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the task's id, or the reservation's, is missing."""
    name = (letter.type or "").removeprefix(LEAD)
    payload = part(letter.document, "payload") or letter.document
    prefix = "payload." if "payload" in letter.document else ""
    moment = first_time(payload.get("timestamp"), letter.document.get("timestamp"), letter.time)
    return _read(_Came("event-stream", letter.id, name, payload, prefix, moment), letter, raw)


def adapt_callback(letter: Letter, raw: Raw) -> Event | Ignored:
    """The event callback, bridged to JSON. Raises `Unreadable` as above."""
    fields = {_CAPITAL.sub("_", name).lower(): value for name, value in letter.document.items()}
    moment = first_time(fields.get("timestamp_ms"), fields.get("timestamp"), letter.time)
    name = text(fields.get("event_type"), LONGEST_ID) or ""
    return _read(_Came("event-callback", text(fields.get("sid"), LONGEST_ID), name, fields, "", moment), letter, raw)


@dataclass(frozen=True, slots=True)
class _Came:
    """One message of either form; `payload` has Event Streams' names, `prefix` leads to it in complaints."""

    stream: str
    id: str | None
    name: str
    payload: Document
    prefix: str
    moment: Moment

    def sid(self, name: str) -> str:
        return required_inside(self.payload, name, self.prefix)


def _read(came: _Came, letter: Letter, raw: Raw) -> Event | Ignored:
    kind = _STEPS.get(came.name)
    if kind is None:
        word = code(came.name.replace(".", "_"))
        return Ignored(letter.envelope, letter.index, words.PLATFORM, f"event_{word}" if word else "unknown_event")
    payload, attributes = came.payload, words.held(came.payload.get("task_attributes"))
    facts = words.task_facts(
        payload.get("task_channel_unique_name"),
        payload.get("task_queue_name"),
        payload.get("task_queue_sid"),
        attributes,
        traits=raw.traits,
    )
    told = words.Told(
        stream=came.stream, id=came.id or digest(letter.document).hex(), version="", kind=kind, moment=came.moment,
        task=came.sid("task_sid"), part=_part(came), account=text(payload.get("account_sid"), LONGEST_ID), facts=facts,
        handles=words.handles(attributes),
    )  # fmt: skip
    _add_facts(facts, came)
    return words.event(letter, raw, told)


def _part(came: _Came) -> str | None:
    if came.name in _TASK:
        return None
    return came.sid("reservation_sid" if came.name in _RESERVATION else "transfer_initiating_reservation_sid")


def _add_facts(facts: Facts, came: _Came) -> None:
    payload = came.payload
    if came.name in _SPOKEN:
        facts["handled"] = True
    if came.name in _RESERVATION:
        words.add_worker(facts, payload.get("worker_sid"), payload.get("worker_name"), words.held(payload.get("worker_attributes")))
        if before := text(payload.get("transfer_initiating_reservation_sid"), LONGEST_ID):
            facts["previous_leg"] = before
    if came.name in _TASK and (created := ms_of(payload.get("task_date_created"))) is not None:
        facts["started_ms"] = created
    if came.name == "task.canceled" and (who := words.who_left(payload.get("task_canceled_reason"))):
        facts["disconnect"] = who
    if came.name in ("reservation.accepted", "task.canceled") and (entered := _entered(payload)) is not None:
        facts["queued_ms"] = entered


def _entered(payload: Document) -> int | None:
    """Since when the customer waits in this queue: after a transfer that is another one, later than the task's begin."""
    entered = ms_of(payload.get("task_queue_entered_date"))
    if entered is not None or payload.get("transfer_initiating_reservation_sid"):
        return entered
    return ms_of(payload.get("task_date_created"))
