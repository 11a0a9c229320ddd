"""The queue log: lines of text, rows of its table, and what AMI says of queues. It alone knows who talked, and for how long."""

from collections.abc import Callable

from ingest.normalise.asterisk import words
from ingest.normalise.asterisk.lines import row_of
from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, required_text, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment, read_time

STREAM = "queue-log"
_NOBODY = "NONE"
_TOLD_OF = Callable[[Facts, list[str], Moment], None]


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """A row. Raises `Unreadable` where the call's id is missing of something that happened to a call."""
    return _adapt(letter, letter.document, raw)


def adapt_message(letter: Letter, raw: Raw) -> Event | Ignored:
    """A line in the `message` that those who ship logs put it in."""
    row = row_of(text(letter.document.get("message")) or "")
    return _adapt(letter, row, raw) if row else words.ignored(letter, "log_line")


def _adapt(letter: Letter, row: Document, raw: Raw) -> Event | Ignored:
    name = required_text(row, "event").upper()
    step = _STEPS.get(name)
    if step is None:
        return words.ignored(letter, f"event_{code(name) or 'unknown'}")
    call = required_text(row, "callid")
    kind, add = step
    moment = read_time(row.get("time"), raw.zone_of(words.account_of(letter, raw)))
    params = _params(row)
    facts: Facts = {}
    queue = text(row.get("queuename"), LONGEST_ID)
    words.add(facts, queue=queue if queue != _NOBODY else None)
    add_agent(facts, row.get("agent"))
    add(facts, params, moment)
    caller = params[1] if name == "ENTERQUEUE" else None
    sides, handles = words.sides(caller, None) if caller else (Facts(), Handles())
    facts.update(sides)
    facts.setdefault("direction", "inbound")
    told = words.Told(stream=STREAM, id=None, kind=kind, moment=moment, root=call, leg=leg_of(call, queue), facts=facts, handles=handles)
    return words.event(letter, raw, told)


def _params(row: Document) -> list[str]:
    """Five, empty where there is none. Older tables keep them in one column."""
    if "data1" not in row and (joined := text(row.get("data"))):
        return [*joined.split("|"), "", "", "", ""][:5]
    return [text(row.get(f"data{n}")) or "" for n in range(1, 6)]


def leg_of(call: str, queue: str | None) -> str:
    """A call's stay in one queue; it may come back there and live again."""
    return f"{call}/{queue or '-'}"


def add_agent(facts: Facts, member: object) -> None:
    """A member is a line (`PJSIP/1001`) or has a name."""
    written = member if isinstance(member, str) and member and member != _NOBODY else None
    words.add(facts, agent=words.endpoint(written), agent_name=written if written and "/" not in written else None)


def add_talk(facts: Facts, moment: Moment, *, held: int | None, talked: int | None) -> None:
    """`held` is how long the caller waited: Asterisk calls that hold time."""
    words.add(
        facts, wait_s=held, talk_s=talked, connected_ms=words.before(moment, talked), queued_ms=words.before(moment, talked, held),
        ended_ms=moment.ms,
    )  # fmt: skip


def add_waited(facts: Facts, moment: Moment, waited: int | None) -> None:
    words.add(facts, wait_s=waited, queued_ms=words.before(moment, waited))


def _entered(_facts: Facts, _params: list[str], _moment: Moment) -> None:
    """Nothing beyond the queue."""


def _connected(facts: Facts, params: list[str], moment: Moment) -> None:
    add_waited(facts, moment, words.whole(params[0]))


def _completed(by: str) -> _TOLD_OF:
    def add(facts: Facts, params: list[str], moment: Moment) -> None:
        facts["disconnect"] = by
        add_talk(facts, moment, held=words.whole(params[0]), talked=words.whole(params[1]))

    return add


def _left(why: str, *, waited: int) -> _TOLD_OF:
    def add(facts: Facts, params: list[str], moment: Moment) -> None:
        facts["disconnect"] = why
        add_waited(facts, moment, words.whole(params[waited]))

    return add


def _handed_over(facts: Facts, params: list[str], moment: Moment) -> None:
    add_talk(facts, moment, held=words.whole(params[2]), talked=words.whole(params[3]))


_STEPS: dict[str, tuple[Kind, _TOLD_OF]] = {
    "ENTERQUEUE": (Kind.QUEUED, _entered),
    "CONNECT": (Kind.CONNECTED, _connected),
    "COMPLETEAGENT": (Kind.ENDED, _completed("agent")),
    "COMPLETECALLER": (Kind.ENDED, _completed("customer")),
    "ABANDON": (Kind.ENDED, _left("customer", waited=2)),
    "EXITWITHTIMEOUT": (Kind.ENDED, _left("timeout", waited=2)),
    "EXITEMPTY": (Kind.ENDED, _left("queue_empty", waited=2)),
    "EXITWITHKEY": (Kind.ENDED, _left("key", waited=3)),
    "TRANSFER": (Kind.TRANSFERRED, _handed_over),
    "BLINDTRANSFER": (Kind.TRANSFERRED, _handed_over),
    "ATTENDEDTRANSFER": (Kind.TRANSFERRED, _handed_over),
}
"""What happens to calls. The rest is about members and the queue itself, or an agent's telephone that rang in vain."""
