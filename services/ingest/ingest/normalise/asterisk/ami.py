"""AMI's events, bridged to JSON: the queues', the caller's channel, and call detail records. Keys are read without regard to case.

Whoever answered a dial spoke with the caller; where a queue or a record tells of that too, they tell it better.
"""

from ingest.normalise.asterisk import queues, records, words
from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, code_in, required_text, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment, read_time

STREAM = "ami"

_QUEUES = {
    "queuecallerjoin": Kind.QUEUED,
    "join": Kind.QUEUED,
    "agentconnect": Kind.CONNECTED,
    "agentcomplete": Kind.ENDED,
    "queuecallerabandon": Kind.ENDED,
}
_ANSWERED = "dialend"
_CHANNEL = {"newchannel": Kind.STARTED, _ANSWERED: Kind.CONNECTED, "hangup": Kind.ENDED}
_WHO = {"caller": "customer", "agent": "agent"}


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the channel's id is missing."""
    fields = words.lowered(letter.document)
    name = (text(fields.get("event"), LONGEST_ID) or "").lower()
    if name == "cdr":
        return records.adapt_ami(letter, fields, raw)
    if name not in _QUEUES and name not in _CHANNEL:
        return words.ignored(letter, f"event_{code(name) or 'unknown'}")
    if name == _ANSWERED and code_in(fields.get("dialstatus")) != "answer":
        return words.ignored(letter, "dial_unanswered")
    unique = required_text(fields, "uniqueid")
    root = text(fields.get("linkedid"), LONGEST_ID) or unique
    moment = read_time(fields.get("timestamp"), raw.zone_of(words.account_of(letter, raw)))
    if name in _QUEUES:
        told = _queue(fields, name, moment, root=root, unique=unique)
    elif unique == root:
        told = _caller(fields, name, moment, root=root)
    else:
        return words.ignored(letter, "another_channel")
    return words.event(letter, raw, told)


def _queue(fields: Document, name: str, moment: Moment, *, root: str, unique: str) -> words.Told:
    kind, queue, reason = _QUEUES[name], text(fields.get("queue"), LONGEST_ID), code_in(fields.get("reason"))
    facts, handles = _of_caller(fields)
    facts.setdefault("direction", "inbound")
    words.add(facts, queue=queue)
    waited = words.whole(fields.get("holdtime"))
    if name == "agentcomplete":
        kind = Kind.TRANSFERRED if reason == "transfer" else kind
        words.add(facts, disconnect=_WHO.get(reason or ""))
        queues.add_talk(facts, moment, held=waited, talked=words.whole(fields.get("talktime")))
    elif kind is not Kind.QUEUED:
        queues.add_waited(facts, moment, waited)
    if name == "queuecallerabandon":
        facts["disconnect"] = "customer"
    queues.add_agent(facts, fields.get("membername") or fields.get("interface") or fields.get("member"))
    return words.Told(
        stream=STREAM, id=None, kind=kind, moment=moment, root=root, leg=queues.leg_of(unique, queue), facts=facts, handles=handles
    )


def _caller(fields: Document, name: str, moment: Moment, *, root: str) -> words.Told:
    """The channel that began the call stands for the whole of it."""
    facts, handles = _of_caller(fields)
    facts["frame"] = facts["lives_once"] = True
    if name == "hangup":
        words.add(facts, ended_ms=moment.ms)
    if name == _ANSWERED:
        facts["outline"] = True
        away = facts.get("direction") == "outbound"
        words.add(facts, agent=words.endpoint(fields.get("channel") if away else fields.get("destchannel")))
    return words.Told(stream=STREAM, id=None, kind=_CHANNEL[name], moment=moment, root=root, leg=root, facts=facts, handles=handles)


def _of_caller(fields: Document) -> tuple[Facts, Handles]:
    return words.sides(fields.get("calleridnum"), fields.get("exten"), fields.get("context"))
