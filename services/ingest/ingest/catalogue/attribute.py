"""Whose contact was it and what was it about, by one version of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.catalogue.model import Attribution, Catalogue, MomentRule


@dataclass(frozen=True, slots=True)
class Seen:
    """What the platform says of a contact, or of one leg of it."""

    agent: str | None = None
    queue: str | None = None
    team: str | None = None
    channel: str | None = None
    direction: str | None = None
    reason: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)


def team_of(seen: Seen, catalogue: Catalogue) -> str | None:
    """The agent's team, else the queue's, else the one the platform names."""
    by_agent = catalogue.agents.get(seen.agent or "")
    by_queue = catalogue.queues.get(seen.queue or "")
    return by_agent or by_queue or (seen.team.lower() if seen.team else None)


def queue_of(seen: Seen, catalogue: Catalogue) -> str | None:
    """What people call the queue; the platform's own word for a queue without a name."""
    return catalogue.queue_names.get(seen.queue or "", seen.queue)


def attribute(seen: Seen, catalogue: Catalogue) -> Attribution:
    team = team_of(seen, catalogue)
    fitting = (rule.moment for rule in catalogue.moments if _fits(rule, seen, team=team))
    return Attribution(team=team, queue=queue_of(seen, catalogue), moment=next(fitting, catalogue.moment_else))


def _fits(rule: MomentRule, seen: Seen, *, team: str | None) -> bool:
    asked = (
        (rule.queue, seen.queue),
        (rule.team, team),
        (rule.channel, seen.channel),
        (rule.direction, seen.direction),
        (rule.reason, seen.reason),
    )
    return all(wanted in (None, found) for wanted, found in asked) and rule.traits.items() <= dict(seen.traits).items()
