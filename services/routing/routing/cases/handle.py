"""What every change of cases has in common: the terms in force, and saving with the messages it causes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from routing.cases import announce, store
from routing.cases.model import Case, Moved, Outcome, Step
from routing.cases.policy import CasePolicy
from routing.cases.terms import Terms
from routing.deps import Deps
from routing.rota import store as rotas
from shared.codes import known
from shared.runtime.database import Unit
from shared.schemas import PlatformRef


@dataclass(frozen=True, slots=True)
class Change:
    """A case before (None: it did not exist) and what was made of it; `calls` are the platform's names of the calls made, by attempt."""

    before: Case | None
    moved: Moved
    calls: Mapping[str, PlatformRef] = field(default_factory=dict)


async def terms(unit: Unit, deps: Deps) -> Terms:
    """Policy and rota as they are in force in this transaction."""
    found = await store.policy(unit.tx, unit.now)
    policy = CasePolicy(**found["body"], version=found["version"]) if found else deps.policy
    rota = await rotas.active(unit.tx, unit.now) or deps.rota
    return Terms(policy=policy, rota=rota, zones=deps.zones, company_zone=deps.settings.company_zone, now=unit.now)


async def keep(unit: Unit, deps: Deps, changes: Iterable[Change], *, policy: CasePolicy) -> list[Case]:
    """Save the cases, tell every revision, and ask dialers or call them off. The caller holds the rows of customers and cases."""
    asked = [Change(each.before, announce.asking(each.before, each.moved), each.calls) for each in changes]
    await store.save(unit.tx, [each.moved for each in asked])
    for each in asked:
        _tell(unit, each, policy)
        unit.when_committed(partial(_count, deps, each.moved.steps))
    steps = [step for each in asked for step in each.moved.steps]
    for after in deps.after if steps else ():
        await after(unit, deps, steps)
    return [each.moved.case for each in asked]


def _tell(unit: Unit, change: Change, policy: CasePolicy) -> None:
    case = change.moved.case
    for as_of, step in change.moved.steps:
        call = change.calls.get(str(step.detail.get("attempt_id")))
        unit.send(announce.changed(as_of, step, platform_ref=call), key=case.id, correlation=case.id)
    if case.request_revision != (change.before.request_revision if change.before else 0):
        unit.send(announce.requested(case, policy), key=case.id, correlation=case.id)


def _count(deps: Deps, steps: Sequence[tuple[Case, Step]]) -> None:
    for case, step in steps:
        deps.metrics.changes.labels(step.change).inc()
        if step.change == "opened":
            deps.metrics.opened.labels(case.route.value, case.level.value).inc()
        if step.detail.get("reason") == "overdue":
            deps.metrics.breaches.labels(case.level.value).inc()


def outcome_label(outcome: str) -> str:
    """An outcome as a metric's label: an unknown one is `other`."""
    return known(outcome, frozenset(Outcome))
