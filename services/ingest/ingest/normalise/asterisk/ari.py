"""ARI's events: a channel of an application begins, is joined to another, and ends.

Each channel names only itself: the caller's is the call, and has the same id as in the records. The line of an agent who was
called for it is a call of its own to us, within the house.
"""

from collections.abc import Iterator, Sequence

from ingest.normalise.asterisk import words
from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, part, required_inside, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment, read_time

STREAM = "ari"

_CHANNEL = {"StasisStart": Kind.STARTED, "StasisEnd": Kind.ENDED, "ChannelDestroyed": Kind.ENDED}


def adapt(letter: Letter, raw: Raw) -> Event | Sequence[Event] | Ignored:
    """Raises `Unreadable` where a channel's id is missing."""
    document = letter.document
    name = text(document.get("type"), LONGEST_ID) or ""
    moment = read_time(document.get("timestamp"), raw.zone_of(words.account_of(letter, raw)))
    if name in _CHANNEL:
        return words.event(letter, raw, _of_channel(document, name, moment))
    told = list(_talks(document, name, moment))
    if not told:
        return words.ignored(letter, f"event_{code(name) or 'unknown'}")
    return [words.event(letter, raw, each) for each in told]


def _of_channel(document: Document, name: str, moment: Moment) -> words.Told:
    channel = part(document, "channel")
    root = required_inside(channel, "id", "channel.")
    facts, handles = _sides(channel)
    facts["frame"] = facts["lives_once"] = True
    words.add(facts, started_ms=read_time(channel.get("creationtime")).ms)
    if name == "ChannelDestroyed":
        words.add(facts, ended_ms=moment.ms)
    return words.Told(stream=STREAM, id=None, kind=_CHANNEL[name], moment=moment, root=root, leg=root, facts=facts, handles=handles)


def _talks(document: Document, name: str, moment: Moment) -> Iterator[words.Told]:
    """Who speaks with whom: an answered dial says who was called, a bridge only who is on it."""
    if name == "Dial" and document.get("dialstatus") == "ANSWER":
        caller, peer = part(document, "caller"), part(document, "peer")
        root, leg = required_inside(caller, "id", "caller."), required_inside(peer, "id", "peer.")
        yield _talk(root, leg, moment, agent=words.endpoint(peer.get("name")))
    bridge = part(document, "bridge")
    if name == "ChannelEnteredBridge" and bridge.get("bridge_type") == "mixing":
        channel, within = part(document, "channel"), bridge.get("channels")
        own = required_inside(channel, "id", "channel.")
        for other in within if isinstance(within, list) else ():
            if (joined := text(other, LONGEST_ID)) and joined != own:
                yield _talk(joined, own, moment, agent=words.endpoint(channel.get("name")))
                yield _talk(own, joined, moment, agent=None)


def _talk(root: str, leg: str, moment: Moment, *, agent: str | None) -> words.Told:
    facts: Facts = {"framed": True, "lives_once": True}
    words.add(facts, agent=agent)
    return words.Told(
        stream=STREAM, id=f"{root}/{leg}/{moment.ms}", kind=Kind.CONNECTED, moment=moment, root=root, leg=leg, facts=facts, handles={}
    )


def _sides(channel: Document) -> tuple[Facts, Handles]:
    """A line of ours that an application calls bears the number that is shown to it: who has that number did not call there."""
    dialplan = part(channel, "dialplan")
    facts, handles = words.sides(part(channel, "caller").get("number"), dialplan.get("exten"), dialplan.get("context"))
    if facts.get("direction") == "inbound" and words.is_extension(words.endpoint(channel.get("name"))):
        return {"purpose": "internal"}, {}
    return facts, handles
