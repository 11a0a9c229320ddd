"""Calls, where there is no TaskRouter to tell of them: status callbacks, out of Event Streams or as they were posted.

The parent call is the customer's line and stands for the contact; calls under it ring agents. Where nothing is told of those, that the
parent was answered is all there is to know.
"""

import re
from dataclasses import dataclass

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, number_in, part, seconds, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, facts_of, handles_of, ignored
from ingest.normalise.times import Moment, first_time
from ingest.normalise.twilio.callbacks import plain_fields, sid, word
from ingest.normalise.twilio.words import PLATFORM

LEAD = "com.twilio."

_TYPE = re.compile(r"com\.twilio\.voice\.(?:webhook\.)?status-callback\.call\.([a-z-]+)\Z")
_STATUSES = {
    "queued": Kind.STARTED,
    "initiated": Kind.STARTED,
    "ringing": Kind.STARTED,
    "in-progress": Kind.CONNECTED,
    "answered": Kind.CONNECTED,
    "completed": Kind.ENDED,
    "busy": Kind.ENDED,
    "no-answer": Kind.ENDED,
    "failed": Kind.ENDED,
    "canceled": Kind.ENDED,
}
_MACHINES = ("machine", "fax")


@dataclass(frozen=True, slots=True)
class _Call:
    """One status of one call. `length` in seconds, of one that was completed."""

    fields: Document
    own: str
    parent: str | None
    status: str
    moment: Moment
    length: int

    @property
    def outbound(self) -> bool:
        return word(self.fields, "direction").startswith("outbound")

    @property
    def by_machine(self) -> bool:
        return word(self.fields, "answeredby").startswith(_MACHINES)


def adapt_event(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the call's id is missing."""
    told = _TYPE.match(letter.type or "")
    if told is None:
        return ignore_other(letter, raw)
    parameters = part(part(letter.document, "request"), "parameters")
    fields, prefix = plain_fields(parameters or letter.document), "request.parameters." if parameters else ""
    if not parameters and "callsid" not in fields:
        fields["callsid"] = letter.document.get("sid")
    status = word(fields, "callstatus") or told[1]
    moment = first_time(fields.get("timestamp"), letter.document.get("timestamp"), letter.time)
    return _read(letter, raw, _call(fields, status, moment, prefix=prefix), stream="event-stream")


def adapt_callback(letter: Letter, raw: Raw) -> Event | Ignored:
    """Fields as they are posted. Raises `Unreadable` as above."""
    fields = plain_fields(letter.document)
    moment = first_time(fields.get("timestamp"), letter.time)
    return _read(letter, raw, _call(fields, word(fields, "callstatus"), moment, prefix=""), stream="call-status")


def ignore_other(letter: Letter, _raw: Raw) -> Ignored:
    """Insights come up to half an hour late and say nothing that decides; the rest is not about contacts."""
    name = (letter.type or "").removeprefix(LEAD).replace(".", "_")
    return ignored(letter, PLATFORM, f"event_{code(name) or 'unknown'}")


def _call(fields: Document, status: str, moment: Moment, *, prefix: str) -> _Call:
    own, written = sid(fields, "CallSid", prefix), text(fields.get("callduration"))
    length = seconds(int(written)) if written and written.isdecimal() and len(written) < 10 else None
    return _Call(fields, own, text(fields.get("parentcallsid"), LONGEST_ID), status, moment, length or 0)


def _read(letter: Letter, raw: Raw, call: _Call, *, stream: str) -> Event | Ignored:
    kind = _STATUSES.get(call.status)
    if kind is None:
        return ignored(letter, PLATFORM, f"call_{code(call.status) or 'unknown'}")
    if kind is Kind.CONNECTED and call.by_machine:
        kind = Kind.STARTED
    order = text(call.fields.get("sequencenumber"), LONGEST_ID)
    facts: Facts = {"channel": "phone", "lives_once": True}
    facts.update(_of_agent(call) if call.parent else _of_customer(call))
    if kind is Kind.ENDED:
        facts.update(_times(call))
    told = Told(
        platform=PLATFORM, account=text(call.fields.get("accountsid"), LONGEST_ID), stream=stream,
        id=letter.id or raw.delivery or f"{call.own}/{call.status}", version="" if letter.id or raw.delivery else order or "",
        hash=digest(letter.document), root=call.parent or call.own, leg=call.own, kind=kind, moment=call.moment, facts=facts,
        handles={} if call.parent else _handles(call),
    )  # fmt: skip
    return event(letter, raw, told)


def _of_customer(call: _Call) -> Facts:
    """A machine answered is nobody reached; a caller who was not answered hung up."""
    facts: Facts = {"frame": True, "outline": True}
    if "direction" in call.fields:
        facts["direction"] = "outbound" if call.outbound else "inbound"
    if call.by_machine or (call.outbound and call.status in ("busy", "no-answer", "failed", "canceled")):
        facts["failed"] = True
    elif call.status in ("no-answer", "canceled"):
        facts["disconnect"] = "customer"
    return facts


def _of_agent(call: _Call) -> Facts:
    """Whom it rang: a client or a SIP user has a name, a number is anybody's."""
    scheme, colon, name = (text(call.fields.get("to"), LONGEST_ID) or "").partition(":")
    named = name.partition("@")[0] if colon and scheme in ("client", "sip", "sips") else ""
    return facts_of(framed=True, rung=True, agent=named if named and number_in(named) is None else None)


def _times(call: _Call) -> Facts:
    if call.status != "completed" or call.moment.ms is None or not call.length:
        return {}
    answered = call.moment.ms - call.length * 1000
    return {"started_ms": answered} if call.by_machine else {"started_ms": answered, "connected_ms": answered}


def _handles(call: _Call) -> Handles:
    return handles_of(phone=number_in(call.fields.get("to" if call.outbound else "from")))
