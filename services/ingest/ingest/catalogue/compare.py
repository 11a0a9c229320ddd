"""What one catalogue changes of another: for which agent, queue and team, and for which moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ingest.catalogue.model import Catalogue, MomentRule

NAMED = ("teams", "agents", "queues", "queue_names", "moment_names")


@dataclass(frozen=True, slots=True)
class Change:
    """`path` leads to the place in the new catalogue, of what was removed to that in the old one. A rule that `moved` is asked earlier or
    later than the rules around it."""

    path: str
    change: str
    before: Any
    after: Any

    @property
    def line(self) -> str:
        """For a terminal."""
        said = f"{self.before} -> {self.after}" if self.change == "changed" else f"{self.before if self.after is None else self.after}"
        return f"{self.change:<8}{self.path}: {said}"


def changes(old: Catalogue, new: Catalogue) -> list[Change]:
    found = [change for kind in NAMED for change in _of_names(kind, getattr(old, kind), getattr(new, kind))]
    if old.moment_else != new.moment_else:
        found.append(_change("moment_else", old.moment_else, new.moment_else))
    return found + list(_of_rules(old.moments, new.moments))


def _of_names(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield _change(f"{kind}.{name}", old.get(name), new.get(name))


def _change(path: str, before: object, after: object) -> Change:
    return Change(path, "added" if before is None else "removed" if after is None else "changed", before, after)


def _of_rules(old: tuple[MomentRule, ...], new: tuple[MomentRule, ...]) -> Iterator[Change]:
    """A rule is known by its conditions."""
    before, after = {rule.conditions: rule for rule in old}, {rule.conditions: rule for rule in new}
    stayed = _in_the_old_order([each for each in before if each in after], [each for each in after if each in before])
    for number, rule in enumerate(new):
        was = before.get(rule.conditions)
        if was is None or was.moment != rule.moment:
            yield _change(f"moments.{number}", was and _written(was), _written(rule))
        elif rule.conditions not in stayed:
            yield Change(f"moments.{number}", "moved", _written(rule), _written(rule))
    yield from (_change(f"moments.{n}", _written(rule), None) for n, rule in enumerate(old) if rule.conditions not in after)


def _in_the_old_order(old: list[Any], new: list[Any]) -> set[Any]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {each for block in blocks for each in old[block.a : block.a + block.size]}


def _written(rule: MomentRule) -> dict[str, Any]:
    return rule.model_dump(exclude_defaults=True)
