"""From a judged episode to the message that tells of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson

from ingest.catalogue.attribute import Seen, attribute, queue_of, team_of
from ingest.catalogue.model import Active, Catalogue
from ingest.contacts.model import Interaction, LegLine
from ingest.people.canonical import Named
from ingest.people.model import Nobody
from shared.schemas import Customer, InteractionCompleted

INTERACTIONS = UUID("0b8a3c0e-8d0f-5b50-9a53-4f0a5a2d7c21")

AS_JUDGED = (
    *("standing", "channel", "direction", "outcome", "started_at", "ended_at", "received_at", "clock_suspect"),
    *("wait_s", "talk_s", "hold_s", "transfers", "agent", "disconnect", "language"),
)
"""What the message says in the words of the fold."""
_as_judged = attrgetter(*AS_JUDGED)
_content = attrgetter(*(field.name for field in fields(Interaction) if field.name != "received_at"))


class Episode(NamedTuple):
    """Which episode of which contact, and which revision of it is to be told."""

    interaction_id: UUID
    platform: str
    account: str
    root: str
    number: int
    revision: int


class Told(NamedTuple):
    """One episode to tell of, with all that its message is made of but the customer; `before` is whom an earlier revision named."""

    episode: Episode
    interaction: Interaction
    digest: bytes
    purpose: str
    named: Named
    before: UUID | None


def interaction_id(platform: str, account: str, root: str, *, episode: int) -> UUID:
    """The same for the same episode, for ever."""
    return uuid5(INTERACTIONS, "\x1f".join((platform, account, root, str(episode))))


def digest(interaction: Interaction) -> bytes:
    """Of what the platform's events come to, customer's handles included; when they were received is no part of it."""
    return hashlib.sha256(orjson.dumps(_content(interaction), option=orjson.OPT_SORT_KEYS)).digest()


def purpose(interaction: Interaction, named: Named, own_numbers: Mapping[str, str]) -> str:
    """What the contact was for. A number of ours on the customer's side says it: our own call or reply came back as an event."""
    return next((own_numbers[each.value] for each in named.addresses if each.value in own_numbers), interaction.purpose)


def without_ours(named: Named, own_numbers: Mapping[str, str]) -> Named:
    """What identifies the customer: never a number of ours."""
    ours = {each.ref for each in named.addresses if each.value in own_numbers}
    if not ours:
        return named
    return Named(
        tuple(handle for handle in named.handles if handle.ref not in ours), tuple(each for each in named.addresses if each.ref not in ours)
    )


def point_ref(interaction: Interaction, named: Named) -> str | None:
    """The address the contact used: its e-mail where it was written on one, else its number."""
    prefer = "email" if "email" in (interaction.channel, interaction.medium) else "phone"
    ranked = sorted(named.addresses, key=lambda each: each.kind != prefer)
    return ranked[0].ref if ranked else None


def completed(told: Told, who: Customer | Nobody, *, contacts_7d: int, active: Active) -> InteractionCompleted:
    """Attribution is by the catalogue version given, and stays with this revision."""
    episode, interaction, catalogue = told.episode, told.interaction, active.catalogue
    seen = Seen(
        agent=interaction.agent,
        queue=interaction.queue,
        team=interaction.team,
        channel=interaction.channel,
        direction=interaction.direction,
        reason=interaction.reason,
        traits=interaction.traits,
    )
    of = attribute(seen, catalogue)
    return InteractionCompleted(
        **dict(zip(AS_JUDGED, _as_judged(interaction), strict=True)),
        interaction_id=episode.interaction_id,
        revision=episode.revision,
        platform=episode.platform,
        account=episode.account,
        ref=episode.root,
        episode=episode.number,
        medium=interaction.medium or interaction.channel,
        purpose=told.purpose,
        contacts_7d=contacts_7d,
        legs=tuple(_leg(each, catalogue) for each in interaction.legs),
        team=of.team,
        queue=of.queue,
        moment=of.moment,
        catalogue_version=active.version,
        reason_code=interaction.reason,
        point_ref=None if isinstance(who, Nobody) and who.reason == "erased" else point_ref(interaction, told.named),
        traits=dict(interaction.traits),
        customer=None if isinstance(who, Nobody) else who,
        no_customer=who.told if isinstance(who, Nobody) else None,
    )


def _leg(leg: LegLine, catalogue: Catalogue) -> dict[str, Any]:
    """A `Leg` that is checked with the message it is a part of."""
    seen = Seen(agent=leg.agent, queue=leg.queue, team=leg.team)
    return {
        "agent": leg.agent,
        "agent_name": leg.agent_name,
        "team": team_of(seen, catalogue),
        "queue": queue_of(seen, catalogue),
        "from_": leg.from_,
        "to": leg.to,
        "end": leg.end,
    }
