"""Analytics' conversation detail: every participant and session of a conversation in one document, asked for again and again.

It is over where `conversationEnd` says so, and only there: customers' sessions are cut into segments that end all the time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, flag, number_in, part, required_text, text
from ingest.normalise.genesys_cloud import words
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import NEVER, Moment, as_datetime, read_time

_ROLES = {
    "customer": "customer",
    "external": "customer",
    "acd": "queue",
    "agent": "agent",
    "user": "agent",
    "ivr": "flow",
    "workflow": "flow",
    "botflow": "flow",
}
_LISTENS = frozenset({"monitoredParticipantId", "monitoredSessionId", "coachedParticipantId"})
"""In the session of a supervisor, whom the customer does not hear."""
_UNDATED = ("unreadable", "no_zone")
"""Times that were written, but badly: something happened, we do not know when."""


@dataclass(frozen=True, slots=True)
class _Session:
    """One session with whose it was; `over` and `ended` are the conversation's."""

    role: str
    participant: Document
    session: Document
    segments: Sequence[Document]
    over: bool
    ended: Moment

    @property
    def spoken(self) -> Sequence[Document]:
        """What a callback has on the agent's screen is no conversation, however long it stood there."""
        if words.word(self.session.get("mediaType")) == words.CALLBACK:
            return ()
        return [one for one in self.segments if words.word(one.get("segmentType")) == "interact"]

    @property
    def lived(self) -> Sequence[Document]:
        """Without the notes written afterwards."""
        return [one for one in self.segments if words.word(one.get("segmentType")) != "wrapup"]

    @property
    def closed(self) -> bool:
        return bool(self.lived) and all(one.get("segmentEnd") is not None for one in self.lived)


def adapt_record(letter: Letter, raw: Raw) -> Sequence[Event] | Ignored:
    """One event for each session, the customers' first. Raises `Unreadable` where the conversation's id is missing."""
    record = letter.document
    root = required_text(record, "conversationId")
    sessions = sorted(_sessions(record), key=lambda one: one.role != "customer")
    if not sessions:
        return Ignored(letter.envelope, letter.index, words.PLATFORM, "no_sessions")
    return [words.event(letter, raw, _told(one, record, root, raw.traits)) for one in sessions]


def _sessions(record: Document) -> Iterator[_Session]:
    ended = read_time(record.get("conversationEnd"))
    over = ended.ms is not None or ended.doubt in _UNDATED
    for participant in _objects(record.get("participants")):
        role = _ROLES.get(words.word(participant.get("purpose")))
        for session in _objects(participant.get("sessions")) if role else ():
            if role and words.word(session.get("mediaType")) not in words.BESIDE and _LISTENS.isdisjoint(session):
                yield _Session(role, participant, session, _objects(session.get("segments")), over=over, ended=ended)


def _told(one: _Session, record: Document, root: str, traits: frozenset[str]) -> words.Told:
    leg = text(one.session.get("sessionId"), LONGEST_ID) or text(one.participant.get("participantId"), LONGEST_ID) or root
    kind, moment = _step(one)
    facts = words.place_facts(one.session)
    facts["record"] = True
    words.add(
        facts, direction=facts.get("direction") or words.place_facts({"direction": record.get("originatingDirection")}).get("direction")
    )
    _ADD[one.role](facts, one)
    if one.role == "customer":
        words.add_attributes(facts, part(one.participant, "attributes"), traits)
        if flag(record.get("selfServed")):
            facts["bot"] = True
    content = digest({**one.participant, "sessions": [one.session], "conversationEnd": record.get("conversationEnd")})
    facts["version"] = f"{_newest(one)}/{content.hex()[:8]}"
    return words.Told(
        stream="analytics", id=f"{root}/{leg}", version=facts["version"], hash=content, kind=kind, moment=moment, root=root, leg=leg,
        facts=facts, handles=_handles(one, outbound=facts.get("direction") == "outbound"),
    )  # fmt: skip


def _step(one: _Session) -> tuple[Kind, Moment]:
    """How far this session has come, and when."""
    begin, end = _first(one.lived, "segmentStart"), _last(one.lived, "segmentEnd")
    if one.role == "customer":
        return (Kind.ENDED, end if end.ms is not None else one.ended) if one.over else (Kind.STARTED, begin)
    if one.role == "agent" and one.spoken and _first(one.spoken, "segmentStart").ms is None:
        return Kind.CONNECTED, _first(one.spoken, "segmentStart")
    if not one.closed:
        return Kind.QUEUED if one.role == "queue" else Kind.STARTED, begin
    handed_over = one.role == "agent" and words.word(one.lived[-1].get("disconnectType")) in words.TRANSFERS
    return Kind.TRANSFERRED if handed_over else Kind.ENDED, end


def _add_customer(facts: Facts, one: _Session) -> None:
    facts["frame"] = True
    words.add(facts, started_ms=_first(one.lived, "segmentStart").ms)
    if one.over:
        words.add(facts, ended_ms=_last(one.lived, "segmentEnd").ms)
        words.add_disconnect(facts, _of_last(one, "disconnectType"))


def _add_queue(facts: Facts, one: _Session) -> None:
    words.mark_part(facts)
    facts["bot"] = False
    begin = _first(one.lived, "segmentStart").ms
    words.add(facts, queue=text(_of_last(one, "queueId"), LONGEST_ID), started_ms=begin, queued_ms=begin)


def _add_agent(facts: Facts, one: _Session) -> None:
    words.add_agent(facts, one.participant.get("userId"), _of_last(one, "queueId"))
    words.add_disconnect(facts, _of_last(one, "disconnectType"), of_agent=True)
    words.add(
        facts, started_ms=_first(one.lived, "segmentStart").ms, connected_ms=_first(one.spoken, "segmentStart").ms,
        talk_s=_length(one.spoken), hold_s=_length([each for each in one.lived if words.word(each.get("segmentType")) == "hold"]),
    )  # fmt: skip
    words.add_wrap_up(facts, next((each["wrapUpCode"] for each in one.segments if each.get("wrapUpCode")), None))


def _add_flow(facts: Facts, one: _Session) -> None:
    of_bot = words.word(one.participant.get("purpose")) == "botflow"
    words.mark_flow(facts, kind="bot" if of_bot else words.word(part(one.session, "flow").get("flowType")))
    words.add(facts, started_ms=_first(one.lived, "segmentStart").ms)


_ADD = {"customer": _add_customer, "queue": _add_queue, "agent": _add_agent, "flow": _add_flow}


def _handles(one: _Session, *, outbound: bool) -> Handles:
    if one.role != "customer":
        return {}
    found = words.handles({**one.participant, **one.session}, outbound=outbound)
    name = text(one.participant.get("participantName"), LONGEST_ID)
    if name and number_in(name) is None:
        found.setdefault("name", name)
    return found


def _objects(value: JsonValue) -> list[Document]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _of_last(one: _Session, name: str) -> JsonValue:
    return next((each[name] for each in reversed(one.lived) if each.get(name)), None)


def _first(segments: Sequence[Document], name: str) -> Moment:
    return min((read_time(one.get(name)) for one in segments), key=lambda moment: (moment.ms is None, moment.ms or 0), default=NEVER)


def _last(segments: Sequence[Document], name: str) -> Moment:
    return max((read_time(one.get(name)) for one in segments), key=lambda moment: (moment.ms is not None, moment.ms or 0), default=NEVER)


def _length(segments: Sequence[Document]) -> int | None:
    """Whole seconds of those whose begin and end can be read."""
    known = [(read_time(one.get("segmentStart")).ms, read_time(one.get("segmentEnd")).ms) for one in segments]
    lengths = [end - begin for begin, end in known if begin is not None and end is not None and end >= begin]
    return sum(lengths) // 1000 if lengths else None


def _newest(one: _Session) -> str:
    """Sorts as text the way the times do."""
    known = [ms for name in ("segmentStart", "segmentEnd") if (ms := _last(one.segments, name).ms) is not None]
    known += [one.ended.ms] if one.ended.ms is not None else []
    return as_datetime(max(known)).isoformat(timespec="milliseconds") if known else ""
