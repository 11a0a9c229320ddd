"""From what one document says to its event, for platforms whose every document speaks of one contact."""

from dataclasses import dataclass
from typing import cast

from ingest.normalise.envelopes import Letter
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment, as_datetime


@dataclass(slots=True)  # not frozen: there is one for every event
class Told:
    """`stream` is the form it came in, `id` its id there. `account` is what the document itself names."""

    platform: str
    account: str | None
    stream: str
    id: str
    version: str
    hash: bytes
    root: str
    leg: str
    kind: Kind
    moment: Moment
    facts: Facts
    handles: Handles


def event(letter: Letter, raw: Raw, told: Told) -> Event:
    """What the document does not name, the source's settings fill in."""
    account = told.account or letter.account or raw.account or "-"
    facts, moment = told.facts, told.moment
    if "channel" not in facts and raw.default_channel:
        facts["channel"] = raw.default_channel
    if moment.doubt or moment.ms is None:
        facts["clock"] = moment.doubt or "missing"
    return Event(
        envelope=letter.envelope, index=letter.index, platform=told.platform, account=account,
        source=f"{told.platform}/{account}/{told.stream}", id=told.id, version=told.version, hash=told.hash, root=told.root, leg=told.leg,
        kind=told.kind, at=None if moment.ms is None else as_datetime(moment.ms), facts=facts, handles=told.handles,
    )  # fmt: skip


def ignored(letter: Letter, platform: str, reason: str) -> Ignored:
    return Ignored(letter.envelope, letter.index, platform, reason)


def facts_of(**found: object) -> Facts:
    """What of `found`, named as facts are, is there."""
    return cast("Facts", {name: value for name, value in found.items() if value is not None})


def handles_of(**found: str | None) -> Handles:
    return cast("Handles", {name: value for name, value in found.items() if value is not None})
