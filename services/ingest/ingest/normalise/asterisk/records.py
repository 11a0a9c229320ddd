"""Call detail records, as a database or AMI gives them: one for each pair of channels, all of a call when it is over.

A queue tries agents: each that rang is a record of its own, often with the same begin and end as the one that was answered. The
table that FreePBX keeps has neither answer nor end: begin and lengths tell them.
"""

from pydantic import JsonValue

from ingest.normalise.asterisk import words
from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code_in, kept, required_text, text
from ingest.normalise.model import Event, Facts, Ignored, Kind, Raw
from ingest.normalise.times import Moment, read_time

STREAM = "cdr"

_OF_AMI = {
    "source": "src",
    "destination": "dst",
    "destinationcontext": "dcontext",
    "destinationchannel": "dstchannel",
    "lastapplication": "lastapp",
    "starttime": "start",
    "answertime": "answer",
    "endtime": "end",
    "billableseconds": "billsec",
}
_QUEUE = "queue"
_VOICEMAIL = ("voicemail", "voicemailmain")


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where neither `linkedid` nor `uniqueid` is there. What is logged of single channels has them too."""
    if "eventtype" in letter.document:
        return words.ignored(letter, "channel_event")
    return of_row(letter, letter.document, raw)


def adapt_ami(letter: Letter, row: Document, raw: Raw) -> Event:
    """AMI's `Cdr` event, whose fields are the same by other names."""
    return of_row(letter, {_OF_AMI.get(name, name): value for name, value in row.items()}, raw)


def of_row(letter: Letter, row: Document, raw: Raw) -> Event:
    unique = text(row.get("uniqueid"), LONGEST_ID)
    root = required_text(row, "linkedid") if row.get("linkedid") or unique is None else unique
    number = text(row.get("sequence"), LONGEST_ID) or digest(row).hex()
    leg = f"{unique or root}/{number}"
    zone = raw.zone_of(words.account_of(letter, raw))
    facts, handles = words.sides(row.get("src"), row.get("dst"), row.get("dcontext"))
    facts["lives_once"] = True
    begin = read_time(row["start"] if "start" in row else row.get("calldate"), zone)
    moment = _end(row, zone, begin=begin)
    _add_facts(facts, row, zone=zone, begin=begin.ms, end=moment)
    if (unique or root) != root and (not handles or (facts.get("direction") == "inbound" and _is_far_half(row.get("channel")))):
        facts["aside"] = True  # between lines of ours: an agent asks a colleague, or a Local channel leads on to one
        facts.pop("connected_ms", None)
    if found := kept(row, raw.traits):
        facts["traits"] = found
    told = words.Told(stream=STREAM, id=f"{root}/{leg}", kind=Kind.ENDED, moment=moment, root=root, leg=leg, facts=facts, handles=handles)
    return words.event(letter, raw, told)


def _is_far_half(channel: JsonValue) -> bool:
    """Of a Local channel, which bears the caller's number on to the line that the caller's own record names already."""
    return isinstance(channel, str) and channel.startswith("Local/") and channel.endswith(";2")


def _end(row: Document, zone: str | None, *, begin: Moment) -> Moment:
    """Where it is not kept, or cannot be read, the begin and the length tell it."""
    end = read_time(row.get("end"), zone)
    if end.ms is not None or begin.ms is None or (length := words.whole(row.get("duration"))) is None:
        return end
    return Moment(begin.ms + length * 1000, end.doubt or "missing" if "end" in row else begin.doubt)


def _add_facts(facts: Facts, row: Document, *, zone: str | None, begin: int | None, end: Moment) -> None:
    application, disposition = code_in(row.get("lastapp")), code_in(row.get("disposition"))
    answered, other = disposition == "answered", words.endpoint(row.get("dstchannel"))
    human = answered and other is not None
    outbound, queued = facts.get("direction") == "outbound", application == _QUEUE
    words.add(
        facts, started_ms=begin, ended_ms=end.ms,
        connected_ms=_connected(row, zone=zone, end=end) if human else None,
        agent=words.endpoint(row.get("channel")) if outbound else other,
        rung=True if other and not human else None,
        disconnect=disposition if disposition and not answered else None,
        medium="voicemail" if application in _VOICEMAIL else None,
        queue=(text(row.get("lastdata"), LONGEST_ID) or "").partition(",")[0] or None if queued else None,
        queued_ms=begin if queued else None, outline=True if queued else None,
        direction=facts.get("direction", "inbound" if queued else None),
        bot=True if answered and other is None and not queued else None,
    )  # fmt: skip


def _connected(row: Document, *, zone: str | None, end: Moment) -> int | None:
    """Where the answer cannot be read, the length of the talk tells it, or at least that there was one."""
    answer = read_time(row.get("answer"), zone).ms
    return answer if answer is not None else words.before(end, words.whole(row.get("billsec"))) or end.ms
