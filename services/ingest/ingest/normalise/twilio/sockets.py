"""What TaskRouter says over its WebSocket: the thing itself, in seconds since 1970, without the event's name.

The status tells what happened, and the thing's version which state of it this is.
"""

from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code_in, part, required_inside, required_text, text
from ingest.normalise.model import Event, Ignored, Kind, Raw
from ingest.normalise.times import Moment, ms_of, read_time
from ingest.normalise.twilio import words

STREAM = "web-socket"

_TASK = {
    "pending": Kind.STARTED,
    "reserved": Kind.STARTED,
    "assigned": Kind.STARTED,
    "wrapping": Kind.STARTED,
    "completed": Kind.ENDED,
    "canceled": Kind.ENDED,
}
_RESERVATION = {"accepted": Kind.CONNECTED, "wrapping": Kind.ENDED, "completed": Kind.ENDED}
_TRANSFERRED = ("complete", "completed")


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where an id is missing that identity or root stands on."""
    document = letter.document
    if "reservation_status" in document:
        return _reservation(letter, raw)
    if "transfer_status" in document:
        return _transfer(letter, raw)
    if "assignment_status" in document:
        return _task(letter, raw)
    return _ignored(letter, "unknown_event")


def _task(letter: Letter, raw: Raw) -> Event | Ignored:
    task = letter.document
    status = code_in(task.get("assignment_status"))
    kind = _TASK.get(status or "")
    if kind is None:
        return _ignored(letter, f"task_{status or 'unknown'}")
    told = _told(task, task, kind=kind, traits=raw.traits, task_sid=required_text(task, "sid"), part_sid=None)
    created = ms_of(task.get("date_created"))
    if created is not None:
        told.facts["started_ms"] = created
    if status in words.SPOKEN:
        told.facts["handled"] = True
    if status == "canceled":
        if who := words.who_left(task.get("reason")):
            told.facts["disconnect"] = who
        if created is not None:
            told.facts["queued_ms"] = created
    return words.event(letter, raw, told)


def _reservation(letter: Letter, raw: Raw) -> Event | Ignored:
    """One that was only offered, and then declined or missed, is no leg: nobody spoke on it."""
    reservation, task, transfer = letter.document, part(letter.document, "task"), part(letter.document, "task_transfer")
    status = code_in(reservation.get("reservation_status"))
    kind = _RESERVATION.get(status or "")
    if kind is None:
        return _ignored(letter, f"reservation_{status or 'unknown'}")
    sids = required_inside(task, "sid", "task."), required_text(reservation, "sid")
    told = _told(reservation, task, kind=kind, traits=raw.traits, task_sid=sids[0], part_sid=sids[1])
    words.add_worker(told.facts, reservation.get("worker_sid"), reservation.get("worker_name"), {})
    if before := text(transfer.get("initiating_reservation_sid"), LONGEST_ID):
        told.facts["previous_leg"] = before
    if status in words.SPOKEN:
        told.facts["handled"] = True
    if kind is Kind.CONNECTED and (waits := ms_of((transfer or task).get("date_created"))) is not None:
        told.facts["queued_ms"] = waits
    return words.event(letter, raw, told)


def _transfer(letter: Letter, raw: Raw) -> Event | Ignored:
    """Of the agent who hands over. One that was begun may still fail; whoever takes over has a reservation that says so."""
    transfer = letter.document
    status = code_in(transfer.get("transfer_status"))
    if status not in _TRANSFERRED:
        return _ignored(letter, f"transfer_{status or 'unknown'}")
    told = words.Told(
        stream=STREAM, id=required_text(transfer, "sid"), version=status, kind=Kind.TRANSFERRED, moment=_updated(transfer),
        task=required_text(transfer, "task_sid"), part=required_text(transfer, "initiating_reservation_sid"),
        account=text(transfer.get("account_sid"), LONGEST_ID), facts={}, handles={},
    )  # fmt: skip
    return words.event(letter, raw, told)


def _told(thing: Document, task: Document, *, kind: Kind, traits: frozenset[str], task_sid: str, part_sid: str | None) -> words.Told:
    attributes = words.held(task.get("attributes"))
    return words.Told(
        stream=STREAM, id=part_sid or task_sid, version=text(thing.get("version"), LONGEST_ID) or "", kind=kind, moment=_updated(thing),
        task=task_sid, part=part_sid, account=text(thing.get("account_sid"), LONGEST_ID),
        facts=words.task_facts(
            task.get("task_channel_unique_name"), task.get("queue_name"), task.get("queue_sid"), attributes, traits=traits
        ),
        handles=words.handles(attributes),
    )  # fmt: skip


def _updated(thing: Document) -> Moment:
    """A thing that nobody touched since it was made has 0 for its update."""
    updated = read_time(thing.get("date_updated"))
    return updated if updated.ms is not None else read_time(thing.get("date_created"))


def _ignored(letter: Letter, reason: str) -> Ignored:
    return Ignored(letter.envelope, letter.index, words.PLATFORM, reason)
