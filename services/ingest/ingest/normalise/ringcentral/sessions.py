"""Notifications of telephony sessions: one event for each party that a notification tells of.

Direction is the party's, not the call's: towards an extension is inbound on its line, while the line of a caller from
outside says `Outbound`, for it calls us. Names on the line are the telephone company's, not the customer's: they are left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code_in, outside_number_in, part, required_inside, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.ringcentral import words
from ingest.normalise.telling import Told, event, facts_of, ignored
from ingest.normalise.times import Moment, first_time
from ingest.normalise.unreadable import Unreadable

_SESSIONS = "/telephony/sessions"
_ACCOUNT = re.compile(r"/account/(\d{1,64})(?:/|\Z)", re.ASCII)
_FIRST_TWO = ("-1", "-2")
"""How the ids end of those between whom a call begins."""
_READ = ("direction", "extensionId", "from", "to", "queueCall")


@dataclass(frozen=True, slots=True)
class _Call:
    """What a notification says of the whole session; `prefix` leads to its body in complaints."""

    session: str
    account: str | None
    sequence: str | None
    uuid: str | None
    moment: Moment
    we_call: bool
    prefix: str


def adapt(letter: Letter, raw: Raw) -> Sequence[Event] | Ignored:
    """Raises `Unreadable` where the session's id is missing, or a party's."""
    notice, within = _notice(letter.document)
    path = text(notice.get("event")) or ""
    body = part(notice, "body")
    if not path.partition("?")[0].endswith(_SESSIONS):
        return ignored(letter, words.PLATFORM, f"event_{_subject(path)}")
    origin = _plain(part(body, "origin").get("type"))
    if origin in words.NO_CONTACT:
        return ignored(letter, words.PLATFORM, f"origin_{origin}")
    call = _Call(
        session=required_inside(body, "telephonySessionId", f"{within}body."), account=_account(path, body),
        sequence=text(body.get("sequence"), LONGEST_ID), uuid=text(notice.get("uuid"), LONGEST_ID),
        moment=first_time(body.get("eventTime"), notice.get("timestamp")), we_call=origin in words.WE_CALL, prefix=f"{within}body.",
    )  # fmt: skip
    parties = body.get("parties")
    if not isinstance(parties, list) or not parties:
        return ignored(letter, words.PLATFORM, "no_parties")
    return [_event(letter, raw, call, party, where=f"{call.prefix}parties[{place}]") for place, party in enumerate(parties)]


def _notice(document: Document) -> tuple[Document, str]:
    """A push to a phone holds the whole notification once more, under the name of whoever delivers it."""
    if isinstance(pushed := document.get("pn_apns"), dict):
        return pushed, "pn_apns."
    if isinstance(pushed := part(document, "pn_gcm").get("data"), dict):
        return pushed, "pn_gcm.data."
    return document, ""


def _subject(path: str) -> str:
    """What a notification of another kind is about: the last word of its path, unless that is an id."""
    last = code_in(path.partition("?")[0].rpartition("/")[2])
    return last.replace("-", "_") if last and not any(sign.isdigit() for sign in last) else "other"


def _account(path: str, body: Document) -> str | None:
    """That of the path, which is the subscriber's; there it may also stand as `~`."""
    if named := _ACCOUNT.search(path):
        return named[1]
    parties = body.get("parties")
    first = parties[0] if isinstance(parties, list) and parties and isinstance(parties[0], dict) else {}
    return text(body.get("accountId"), LONGEST_ID) or text(first.get("accountId"), LONGEST_ID)


def _event(letter: Letter, raw: Raw, call: _Call, party: object, *, where: str) -> Event:
    if not isinstance(party, dict):
        raise Unreadable("not_an_object", where)
    leg = required_inside(party, "id", f"{where}.")
    kind, facts, handles = _told(party, call, leg)
    content = digest({**_lasting(party), "sequence": call.sequence, "ms": call.moment.ms})
    own = f"{call.session}/{call.sequence}" if call.sequence else call.uuid or content.hex()
    told = Told(
        platform=words.PLATFORM, account=call.account, stream="session", id=f"{own}/{leg}", version="", hash=content, root=call.session,
        leg=leg, kind=kind, moment=call.moment, facts=facts, handles=handles,
    )  # fmt: skip
    return event(letter, raw, told)


def _lasting(party: Document) -> Document:
    """What is the same however it is sent: a push, or a subscription that asks for it, says more of the line's own dealings."""
    status = part(party, "status")
    return {"code": status.get("code"), "reason": status.get("reason"), **{name: party.get(name) for name in _READ}}


def _told(party: Document, call: _Call, leg: str) -> tuple[Kind, Facts, Handles]:
    status, extension = part(party, "status"), text(party.get("extensionId"), LONGEST_ID)
    code, reason = _plain(status.get("code")), _plain(status.get("reason"))
    caller, callee = part(party, "from"), part(party, "to")
    away = call.we_call or _plain(party.get("direction")) == "outbound"
    facts: Facts = {"channel": "phone", "lives_once": True}
    handles: Handles = {}
    if extension is not None:
        handles = _add_ours(facts, extension, reason, caller=caller, callee=callee, away=away)
    else:
        facts["frame"] = True
        if call.we_call:
            handles = {} if _extension(callee) else _handle(callee)
        elif away:
            facts["direction"], handles = "inbound", _handle(caller)
    facts |= facts_of(medium=words.MEDIA.get(code))
    if code in words.GONE and reason and reason not in words.GOES_ON:
        facts["disconnect"] = reason
    if reason in words.FAULTS and facts.get("direction") == "outbound":
        facts["failed"] = True
    if reason == words.LISTENS_IN:
        facts["aside"] = True
    if leg.endswith(_FIRST_TWO) and _extension(caller) and _extension(callee):
        facts["purpose"] = "internal"
    return words.kind_of(code, reason, ours=extension is not None, queued=party.get("queueCall") is True), facts, handles


def _add_ours(facts: Facts, extension: str, reason: str, *, caller: Document, callee: Document, away: bool) -> Handles:
    """A line of ours: an agent's, a queue's or an IVR's. Returns who is at its other end."""
    mine, theirs = (caller, callee) if away else (callee, caller)
    name = text(mine.get("name"), LONGEST_ID)
    facts["rung"] = True
    facts["direction"] = "outbound" if away else "inbound"
    facts |= facts_of(agent=extension, agent_name=name, queue=(name or extension) if reason == "agentanswered" else None)
    return {} if _extension(theirs) else _handle(theirs)


def _extension(end: Document) -> str | None:
    return text(end.get("extensionId"), LONGEST_ID)


def _handle(end: Document) -> Handles:
    number = outside_number_in(end.get("phoneNumber"))
    return {"phone": number} if number else {}


def _plain(value: object) -> str:
    """A word without the capitals and underscores that differ between versions."""
    return value.lower().replace("_", "") if isinstance(value, str) and len(value) <= LONGEST_ID else ""
