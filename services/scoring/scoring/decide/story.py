"""A decision as people and platforms read it: every rule with its name."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from scoring.decide.brief import in_full, named
from shared.schemas import Detail, Verdict


class RuleVerdict(BaseModel):
    """What one rule said."""

    rule: str
    verdict: Verdict
    detail: Detail = None


class Revision(BaseModel):
    """One judgement. `draw` below `rate`, the inclusion probability, is in."""

    revision: int
    outcome: str
    reason: str
    phase: str
    policy_version: int
    decided_at: datetime
    interaction_revision: int | None = None
    verdicts: list[RuleVerdict]
    facts: dict[str, Any]
    cell: str | None = None
    draw: float | None = None
    rate: float | None = None
    survey_id: UUID | None = None
    channel: str | None = None
    send_at: datetime | None = None
    retry_at: datetime | None = None


class Story(BaseModel):
    """Every revision of one decision, the newest first."""

    decision_id: UUID
    kind: str
    anchor: UUID
    interaction_id: UUID | None = None
    platform: str | None = None
    account: str | None = None
    ref: str | None = None
    revisions: list[Revision]


def stories(said: Iterable[Mapping[str, Any]], rules: Mapping[int, Sequence[str]]) -> list[Story]:
    """From rows as kept, in any order, and the rules of each policy version."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in said:
        found.setdefault(row["id"], []).append(row)
    return [_story(sorted(rows, key=lambda row: -row["revision"]), rules) for rows in found.values()]


def _story(rows: Sequence[Mapping[str, Any]], rules: Mapping[int, Sequence[str]]) -> Story:
    return Story.model_validate({**rows[0], "decision_id": rows[0]["id"], "revisions": [_revision(row, rules) for row in rows]})


def _revision(row: Mapping[str, Any], rules: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    return {**row, "verdicts": _named(row, rules), "facts": named(row["facts"])}


def _named(row: Mapping[str, Any], rules: Mapping[int, Sequence[str]]) -> list[RuleVerdict]:
    pairs = zip(rules[row["policy_version"]], in_full(row["verdicts"]), strict=True)
    return [RuleVerdict(rule=rule, verdict=verdict, detail=detail) for rule, (verdict, detail) in pairs]
