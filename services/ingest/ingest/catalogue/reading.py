"""A catalogue as somebody wrote it: what it says, or every place that must be mended first."""

from collections.abc import Iterator

from pydantic import ValidationError

from ingest.catalogue.model import Catalogue, MomentRule

Fault = tuple[str, str]
"""Path and reason."""


def read(body: bytes) -> Catalogue | list[Fault]:
    try:
        catalogue = Catalogue.model_validate_json(body)
    except ValidationError as error:
        return [
            (".".join(map(str, each["loc"])), each["msg"] if each["type"] == "value_error" else each["type"])
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    return list(faults(catalogue)) or catalogue


def faults(catalogue: Catalogue) -> Iterator[Fault]:
    """What a reader of the draft should mend before it is used."""
    for kind in ("agents", "queues"):
        for place, team in getattr(catalogue, kind).items():
            if team not in catalogue.teams:
                yield f"{kind}.{place}", "unknown_team"
    for number, rule in enumerate(catalogue.moments):
        yield from ((f"moments.{number}{path}", reason) for path, reason in _of_rule(rule, catalogue, number))
    given = {rule.moment for rule in catalogue.moments} | {catalogue.moment_else}
    yield from ((f"moment_names.{moment}", "unknown_moment") for moment in catalogue.moment_names if moment not in given)


def _of_rule(rule: MomentRule, catalogue: Catalogue, number: int) -> Iterator[Fault]:
    if rule.team is not None and rule.team not in catalogue.teams:
        yield ".team", "unknown_team"
    if rule.queue is not None and rule.queue not in catalogue.queues and rule.queue not in catalogue.queue_names:
        yield ".queue", "unknown_queue"
    earlier = catalogue.moments[:number]
    if rule in earlier:
        yield "", "repeated"
    elif any(other.conditions <= rule.conditions for other in earlier):
        yield "", "never_reached"
