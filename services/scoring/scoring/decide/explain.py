"""A decision in sentences: asked or not, and because of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scoring.decide.model import Outcome
from scoring.decide.policy import Terms
from scoring.decide.rules import reason
from scoring.decide.story import Revision, RuleVerdict
from scoring.decide.words import WORDS

KNEW = ("channel", "medium", "outcome", "segment", "team", "legs", "transfers", "language", "zones")
"""What a decision saw, in the order it is shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of the table. `mark`: passed, stopped, too (would stop as well) or unknown."""

    title: str
    saw: str
    passes: str
    mark: str


def lines(revision: Revision, terms: Terms) -> list[Line]:
    """Every rule in order; only the first that stops is marked as the one that did."""
    marks = _marks(revision.verdicts)
    return [_line(each, mark, revision=revision, terms=terms) for each, mark in zip(revision.verdicts, marks, strict=True)]


def headline(revision: Revision, *, who: str, zone: ZoneInfo) -> str:
    """The verdict in one sentence; times in the company's zone."""
    match revision.outcome:
        case Outcome.INVITED:
            return f"{who} is asked, from {clock(revision.send_at, zone)}"
        case Outcome.DEFERRED:
            return f"{who} cannot be decided about yet, next look {clock(revision.retry_at, zone)}"
        case Outcome.WITHDRAWN:
            return f"{who} was to be asked, stopped at sending"
        case _:
            return f"{who} was not asked"


def because(revision: Revision, terms: Terms) -> str:
    """The line under the verdict: the rule that decided, in words."""
    found = next((each for each in revision.verdicts if each.verdict != "pass" and reason(each.rule) == revision.reason), None)
    if found is None:
        return f"Every rule of policy {revision.policy_version} passed."
    words = WORDS[found.rule]
    return f"{words.title}: {_saw(found, revision)}. Policy {revision.policy_version} passes: {words.passes(terms)}."


def knew(revision: Revision) -> list[tuple[str, str]]:
    """What it saw, named; what was not known is left out, and after an erasure all of it."""
    found = ((name, revision.facts.get(name)) for name in KNEW)
    return [(name.capitalize(), _told(value)) for name, value in found if value not in (None, [])]


def _told(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def clock(at: datetime | None, zone: ZoneInfo) -> str:
    """`Tuesday 24 November, 15:41` in that zone."""
    if at is None:
        return "-"
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B, %H:%M}"


def _line(verdict: RuleVerdict, mark: str, *, revision: Revision, terms: Terms) -> Line:
    words = WORDS[verdict.rule]
    return Line(words.title, _saw(verdict, revision), words.passes(terms), mark)


def _saw(verdict: RuleVerdict, revision: Revision) -> str:
    if verdict.rule == "sampling" and revision.draw is not None:
        return f"Draw {revision.draw:.2f}"
    return WORDS[verdict.rule].saw(verdict.detail)


def _marks(verdicts: Sequence[RuleVerdict]) -> list[str]:
    stopped = next((index for index, each in enumerate(verdicts) if each.verdict == "fail"), None)
    marks = {"pass": "passed", "fail": "too", "unknown": "unknown"}
    return ["stopped" if index == stopped else marks[each.verdict] for index, each in enumerate(verdicts)]
