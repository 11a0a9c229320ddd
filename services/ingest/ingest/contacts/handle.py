"""Contacts that are due: read what is known of each, judge it, and tell of every episode that is over or has changed since."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from ingest.catalogue.handle import in_force
from ingest.catalogue.model import Catalogue
from ingest.contacts import store
from ingest.contacts.complete import Episode, Told, completed, digest, interaction_id, purpose, without_ours
from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, KnownEpisode, NotOver, Over, Patience, StoredEvent, Verdict
from ingest.contacts.store import Due, EventRow, Latest, Root
from ingest.metrics import Metrics
from ingest.normalise.model import Handles, Kind
from ingest.people.canonical import named
from ingest.people.handle import Account, Desk, settle
from ingest.people.model import Nobody
from ingest.people.profile import from_contact
from shared.runtime.database import Unit
from shared.runtime.errors import Unprocessable
from shared.runtime.failpoints import failpoint
from shared.runtime.sealing import Sealer
from shared.schemas import Customer, InteractionCompleted, Sealed

log = logging.getLogger("aftercall.ingest")

REPEATS_WITHIN = timedelta(days=7)
SET_ASIDE: dict[str, Any] = {"due": None, "waits_for": "unprocessable", "digest": None}
"""Looked at again only when another event of the contact comes; shown by `GET /v1/interactions`, counted with the judged contacts."""
NO_DIGEST = b""
"""Of what an erased person's contact came to: a digest of their handles would still tell whether a guess is right."""
_KINDS = {kind.value: kind for kind in Kind}
NO_SENSE = (ArithmeticError, LookupError, TypeError, ValueError, Unprocessable)


@dataclass(frozen=True, slots=True)
class Closing:
    """What judging contacts needs here. `own_numbers`: E.164 → its purpose. `catalogue` is in force until a version is activated."""

    desk: Desk
    patience: Patience
    own_numbers: Mapping[str, str]
    topics: Collection[str]
    unread_for: timedelta
    at_once: int
    keep_events: timedelta
    catalogue: Catalogue
    metrics: Metrics


async def close_due(unit: Unit, closing: Closing) -> int:
    """Judge the contacts whose time has come. Two statements, lock and then read: what was stored between them is seen."""
    due = await store.claim_due(unit.tx, closing.topics, unread_for=closing.unread_for, limit=closing.at_once)
    if due:
        await close(unit, due, closing)
    return len(due)


async def close(unit: Unit, due: Sequence[Due], closing: Closing) -> None:
    """Judge these, which are locked."""
    events = await store.events(unit.tx, [each.root for each in due])
    verdicts = [(each, _judge(each, events.get(each.root, ()), closing)) for each in due]
    judged = [(each, verdict) for each, verdict in verdicts if verdict]
    told = await _to_tell(unit, judged, closing)
    spoiled = await _tell(unit, told, closing)
    digests = {_root(each): each.digest for each in told}
    spoiled |= {each.root: SET_ASIDE for each, verdict in verdicts if not verdict}
    rows = [_judged(each, verdict or Verdict(()), digests.get(each.root)) | spoiled.get(each.root, {}) for each, verdict in verdicts]
    store.save_judged(unit.tx, rows)
    unit.when_committed(partial(closing.metrics.judged, [row["waits_for"] or "over" for row in rows]))
    failpoint("ingest.contacts_closed")


def _judge(due: Due, rows: Sequence[EventRow], closing: Closing) -> Verdict | None:
    """None where the facts of this one contact cannot be judged: it is set aside, the others go on."""
    known = KnownEpisode(due.episode, due.episode_started) if due.published and due.episode_started else None
    try:
        return fold(_events(rows, closing.desk.sealer), now=due.as_of, patience=closing.patience, known=known)
    except NO_SENSE as fault:
        log.error("contact set aside: its events cannot be judged", extra={"cause": type(fault).__name__})  # noqa: TRY400  # values would show
        return None


def _events(rows: Sequence[EventRow], sealer: Sealer) -> list[StoredEvent]:
    """What was sealed once for several events is unsealed once."""
    sealed = {each.handles["c"]: each.handles for each in rows if each.handles}
    handles: dict[str | None, Handles] = {name: sealer.unseal(Sealed(**each)) for name, each in sealed.items()}
    return [
        StoredEvent(
            each.id, each.leg, _KINDS[each.kind], at=each.at, received=each.received, facts=each.facts,
            handles=handles[each.handles["c"]] if each.handles else {},
        )
        for each in rows
    ]  # fmt: skip


def _judged(due: Due, verdict: Verdict, digest: bytes | None) -> dict[str, Any]:
    """The contact's row: when time alone will change the verdict, and how its latest episode is numbered."""
    platform, account, root = due.root
    waiting = [one for one in verdict.episodes if isinstance(one, NotOver)]
    latest = _interaction(verdict.episodes[-1]) if verdict.episodes else None
    return {
        "platform": platform,
        "account": account,
        "root": root,
        "due": verdict.look_again_at,
        "waits_for": min(waiting, key=lambda one: one.look_again_at).waits_for if waiting else None,
        "episode": latest.episode if latest else due.episode,
        "episode_started": latest.started_at if latest else due.episode_started,
        "digest": digest,
    }


def _interaction(one: Over | NotOver) -> Interaction:
    return one.interaction if isinstance(one, Over) else one.so_far


async def _to_tell(unit: Unit, judged: Sequence[tuple[Due, Verdict]], closing: Closing) -> list[Told]:
    """The episodes that are over, or were told of as over and no longer are, and read otherwise than the last time."""
    # An episode before the first that was ever numbered came too late for anybody to be asked; numbers never go below 0.
    episodes = [(due.root, one) for due, verdict in judged for one in verdict.episodes if _interaction(one).episode >= 0]
    ids = [interaction_id(*root, episode=_interaction(one).episode) for root, one in episodes]
    latest = await store.latest(unit.tx, ids)
    told = [
        _told(root, one, identity, latest=latest.get(identity), closing=closing)
        for (root, one), identity in zip(episodes, ids, strict=True)
    ]
    return [each for each in told if each]


def _told(root: Root, one: Over | NotOver, identity: UUID, *, latest: Latest | None, closing: Closing) -> Told | None:
    if isinstance(one, NotOver) and (latest is None or latest.standing == "reopened"):
        return None
    interaction = _interaction(one)
    content = digest(interaction)
    if latest and latest.digest == content:
        return None
    platform, account, _ = root
    episode = Episode(identity, *root, interaction.episode, latest.revision + 1 if latest else 1)
    written = named(interaction.handles, closing.desk.naming, platform=platform, account=account)
    aim = purpose(interaction, written, closing.own_numbers)
    ours_apart = without_ours(written, closing.own_numbers)
    return Told(episode, interaction, content, aim, named=ours_apart, before=latest.customer_id if latest else None)


def _root(told: Told) -> Root:
    return told.episode.platform, told.episode.account, told.episode.root


async def _tell(unit: Unit, told: Sequence[Told], closing: Closing) -> dict[Root, dict[str, Any]]:
    """Name the customers, attribute, keep each revision and send it. Returns what is to be noted at contacts nothing can be said of."""
    if not told:
        return {}
    people = await settle(unit, closing.desk, [_account(each) for each in told])
    recent = await _recent(unit, told, people)
    active = await in_force(unit, closing.catalogue)
    forgotten = await _forget_erased(unit, told, people)
    sent, spoiled = [], {root: {"digest": NO_DIGEST} for root in forgotten}
    for each, who in zip(told, people, strict=True):
        try:
            sent.append((each, completed(each, who, contacts_7d=recent.get(each.episode.interaction_id, 1), active=active)))
        except ValidationError as fault:
            spoiled[_root(each)] = SET_ASIDE | spoiled.get(_root(each), {})
            fields = sorted({str(error["loc"][0]) for error in fault.errors(include_input=False)})
            log.error("contact set aside: what its events say fits no message", extra={"fields": fields})  # noqa: TRY400  # values would show
    encoded = [message.encode() for _, message in sent]
    revisions = [_revision(each, message, text, forgotten=forgotten) for (each, message), text in zip(sent, encoded, strict=True)]
    store.save_revisions(unit.tx, revisions)
    for (_, message), text in zip(sent, encoded, strict=True):
        key = message.customer.customer_id if message.customer else message.interaction_id
        unit.send(message, key=key, correlation=message.interaction_id, encoded=text)
    unit.when_committed(partial(closing.metrics.told, [message for _, message in sent]))
    return spoiled


async def _forget_erased(unit: Unit, told: Sequence[Told], people: Sequence[Customer | Nobody]) -> set[Root]:
    """What came late of people who were erased is told of as nobody's, and what named them goes from its events."""
    roots = {_root(each) for each, who in zip(told, people, strict=True) if isinstance(who, Nobody) and who.reason == "erased"}
    if roots:
        await store.forget_handles(unit.tx, roots)
    return roots


def _account(told: Told) -> Account:
    """What the contact says of its customer. A contact among ourselves has none."""
    if told.purpose == "internal":
        return Account((), {}, before=told.before)
    handles = told.interaction.handles
    brought = {
        "member_id": handles.get("member_id"),
        "name": handles.get("name"),
        "postal_code": handles.get("postal_code"),
        "language": handles.get("language") or told.interaction.language,
    }
    said = from_contact(brought, told.named.addresses, at=told.interaction.ended_at, by=str(told.episode.interaction_id))
    return Account(told.named.handles, said, before=told.before)


async def _recent(unit: Unit, told: Sequence[Told], people: Sequence[Customer | Nobody]) -> dict[UUID, int]:
    """Per interaction, how many service contacts its customer had in the seven days up to its end, itself included."""
    named = [(each, who.customer_id) for each, who in zip(told, people, strict=True) if isinstance(who, Customer)]
    if not named:
        return {}
    since = min(each.interaction.ended_at for each, _ in named) - REPEATS_WITHIN
    contacts = await store.service_contacts(unit.tx, {customer for _, customer in named}, since=since)
    for each, customer in named:
        if each.purpose == "service":
            contacts[customer][each.episode.interaction_id] = each.interaction.ended_at
    return {each.episode.interaction_id: _up_to(each, contacts[customer]) for each, customer in named}


def _up_to(told: Told, ends: Mapping[UUID, datetime]) -> int:
    end = told.interaction.ended_at
    others = [one for one, at in ends.items() if end - REPEATS_WITHIN < at <= end and one != told.episode.interaction_id]
    return 1 + len(others)


def _revision(told: Told, message: InteractionCompleted, encoded: bytes, *, forgotten: Collection[Root]) -> dict[str, Any]:
    return {
        "id": message.interaction_id,
        "revision": message.revision,
        "platform": message.platform,
        "account": message.account,
        "root": message.ref,
        "episode": message.episode,
        "customer_id": message.customer.customer_id if message.customer else None,
        "purpose": message.purpose,
        "standing": message.standing,
        "ended_at": message.ended_at,
        "digest": NO_DIGEST if _root(told) in forgotten else told.digest,
        "payload": orjson.Fragment(encoded),
    }


async def forget_events(unit: Unit, closing: Closing) -> int:
    """Facts older than any replay or erasure may reach back."""
    return await store.forget_events(unit.tx, older_than=closing.keep_events, limit=closing.at_once)


async def measure_watermark(unit: Unit, closing: Closing) -> int:
    closing.metrics.watermark.set(await store.watermark_lag(unit.tx, closing.topics, unread_for=closing.unread_for))
    return 0
