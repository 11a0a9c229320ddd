"""Conversation detail events: by EventBridge, as a notification, flattened into one level, or as the body of a trigger.

`topicName` is Genesys' own and says what happened; `detail-type` is only the pattern that was subscribed to, and may say
otherwise. A trigger's body names no topic at all: its fields tell.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, part, required_inside, seconds, text
from ingest.normalise.genesys_cloud import words
from ingest.normalise.model import Event, Facts, Ignored, Kind, Raw
from ingest.normalise.times import Moment, first_time

_LEAD = "v2.detail.events.conversation."
_LENGTHS = (("interacting",), ("held",), ("alerting", "dialing", "contacting"))
"""What an agent's session is made of: talk, hold, and what came before the customer was on the line."""
_BY_FIELD = (
    ("acdOutcome", "acd.end"),
    ("wrapupCode", "acw"),
    ("flowType", "flow.end"),
    ("attributes", "attributes"),
    ("userId", "user.end"),
    ("disconnectType", "customer.end"),
    ("interactingDurationMs", "customer.end"),
)


@dataclass(frozen=True, slots=True)
class _Came:
    """One event in whatever form. `own_id` is the id its carrier gave it, `prefix` leads to the body in complaints."""

    stream: str
    own_id: str | None
    step: str
    body: Document
    prefix: str
    moment: Moment


def adapt_event(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the conversation's id is missing."""
    came = _came(letter)
    if came is None:
        return _ignored(letter, "foreign_topic")
    step = _STEPS.get(came.step)
    if step is None:
        return _ignored(letter, f"event_{code(came.step.replace('.', '_')) or 'unknown'}")
    if (media := words.word(came.body.get("mediaType"))) in words.BESIDE:
        return _ignored(letter, f"media_{media}")
    kind, add = step
    root = required_inside(came.body, "conversationId", came.prefix)
    leg = text(came.body.get("sessionId"), LONGEST_ID) or text(came.body.get("participantId"), LONGEST_ID) or root
    facts = words.place_facts(came.body)
    add(facts, came, raw)
    of_customer = facts.get("frame", False)
    told = words.Told(
        stream=came.stream, id=came.own_id or f"{root}/{leg}/{came.step}/{came.moment.ms}", version="", hash=digest(letter.document),
        kind=_kind(kind, came), moment=came.moment, root=root, leg=leg, facts=facts,
        handles=words.handles(came.body, outbound=facts.get("direction") == "outbound") if of_customer else {},
    )  # fmt: skip
    return words.event(letter, raw, told)


def _came(letter: Letter) -> _Came | None:
    """None for a topic that is not about conversations."""
    document = letter.document
    wrapped = "eventBody" in document
    body = part(document, "eventBody") if wrapped else document
    topic = text(document.get("topicName"), LONGEST_ID) or letter.type
    step = _guessed(body) if topic is None else _step_of(topic)
    if step is None:
        return None
    stream = "event" if letter.id else "notification" if wrapped else "flattened" if topic else "trigger"
    own_id = letter.id or text(document.get("_id"), LONGEST_ID)
    moment = first_time(body.get("eventTime"), document.get("timestamp"), letter.time)
    return _Came(stream, own_id, step, body, "eventBody." if wrapped else "", moment)


def _step_of(topic: str) -> str | None:
    """`customer.end` of `v2.detail.events.conversation.ID.customer.end`; None for any other kind of topic."""
    return topic.removeprefix(_LEAD).partition(".")[2] if topic.startswith(_LEAD) else None


def _guessed(body: Document) -> str:
    return next((step for name, step in _BY_FIELD if name in body), "unknown")


def _kind(kind: Kind, came: _Came) -> Kind:
    """Only an agent's session is handed over; the queue's `transfer` is its way to the agent."""
    handed_over = came.step == "user.end" and words.word(came.body.get("disconnectType")) in words.TRANSFERS
    return Kind.TRANSFERRED if handed_over else kind


def _customer(facts: Facts, came: _Came, _raw: Raw) -> None:
    facts["frame"] = True
    if came.step == "customer.end":
        words.add_disconnect(facts, came.body.get("disconnectType"))


def _queue(facts: Facts, came: _Came, _raw: Raw) -> None:
    words.mark_part(facts)
    facts["bot"] = False
    words.add(facts, queue=text(came.body.get("queueId"), LONGEST_ID))
    waited = _ms(came.body.get("connectedDurationMs"))
    if came.step == "acd.end" and waited and came.moment.ms is not None:
        facts["started_ms"] = facts["queued_ms"] = came.moment.ms - waited
    outcome = words.word(came.body.get("acdOutcome"))
    if outcome == "abandon":
        facts["disconnect"] = "customer"
    elif outcome == "answered" and not _is_callback(came):
        facts["handled"] = facts["hearsay"] = True
        words.add(facts, agent=text(came.body.get("answeredUserId"), LONGEST_ID))


def _agent(facts: Facts, came: _Came, _raw: Raw) -> None:
    """An agent spoke where the end says how long: a session that rang and rang out has one too."""
    words.add_agent(facts, came.body.get("userId"), came.body.get("queueId"))
    if came.step != "user.end":
        return
    words.add_disconnect(facts, came.body.get("disconnectType"), of_agent=True)
    words.add(facts, ended_ms=came.moment.ms)
    talked, held, before = (sum(_ms(came.body.get(f"{name}DurationMs")) for name in names) for names in _LENGTHS)
    if came.moment.ms is not None:
        facts["started_ms"] = came.moment.ms - talked - held - before
    if _is_callback(came):
        return
    if not talked:
        words.add(facts, handled=None if _rang_out(came) else True)
        return
    words.add(facts, talk_s=talked // 1000, hold_s=held // 1000 if held else None)
    if came.moment.ms is not None:
        facts["connected_ms"] = came.moment.ms - talked - held


def _is_callback(came: _Came) -> bool:
    return words.word(came.body.get("mediaType")) == words.CALLBACK


def _rang_out(came: _Came) -> bool:
    """An end that tells no lengths at all is of somebody who was there, unless it says why not."""
    measured = any(came.body.get(f"{name}DurationMs") is not None for names in _LENGTHS for name in names)
    return measured or words.word(came.body.get("disconnectType")) in words.RANG_OUT


def _wrap_up(facts: Facts, came: _Came, _raw: Raw) -> None:
    words.add_agent(facts, came.body.get("userId"), came.body.get("queueId"))
    words.add_wrap_up(facts, came.body.get("wrapupCode"))


def _flow(facts: Facts, came: _Came, _raw: Raw) -> None:
    words.mark_flow(facts, kind=words.word(came.body.get("flowType")))


def _attributes(facts: Facts, came: _Came, raw: Raw) -> None:
    facts["framed"] = True
    words.add_attributes(facts, part(came.body, "attributes"), raw.traits)


def _ms(value: JsonValue) -> int:
    """A length, up to a year; 0 for none."""
    whole = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return whole if seconds(whole / 1000) is not None else 0


def _ignored(letter: Letter, reason: str) -> Ignored:
    return Ignored(letter.envelope, letter.index, words.PLATFORM, reason)


_STEPS: dict[str, tuple[Kind, Callable[[Facts, _Came, Raw], None]]] = {
    "customer.start": (Kind.STARTED, _customer),
    "customer.end": (Kind.ENDED, _customer),
    "acd.start": (Kind.QUEUED, _queue),
    "acd.end": (Kind.ENDED, _queue),
    "user.start": (Kind.STARTED, _agent),
    "user.end": (Kind.ENDED, _agent),
    "acw": (Kind.ENDED, _wrap_up),
    "flow.start": (Kind.STARTED, _flow),
    "flow.end": (Kind.ENDED, _flow),
    "attributes": (Kind.STARTED, _attributes),
}
"""What each topic means, and what it tells. Others are counted and left: voicemail, outbound, and whatever is added."""
