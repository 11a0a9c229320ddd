"""Outcomes of calls, by topic and from dialers' API: facts, so no revision is asked for; told twice, they count once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from routing.cases import handle as keeping
from routing.cases import moves, store
from routing.cases.handle import Change
from routing.cases.model import Attempt, By, Case, Moved
from routing.cases.work.attempt import attempt_of, call_of, refusal
from routing.cases.work.handle import sealed_note
from routing.deps import Deps
from routing.errors import NoSuchCase, Refused
from routing.people import store as people
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.schemas import CallbackAttempted, ConsentChanged

End = Case | Refused | NoSuchCase
"""What became of an outcome: the case after it, or why nothing was changed."""


async def callback_attempted(batch: Batch[CallbackAttempted], deps: Deps) -> None:
    """A case we do not know cannot come later, since we name them: that message is dead at once."""
    ends = await take_outcomes(batch.unit, deps, [delivery.message for delivery in batch.items])
    for delivery, end in zip(batch.items, ends, strict=True):
        match end:
            case NoSuchCase():
                batch.refuse(delivery, "unknown_case", "case_id")
            case Refused():
                batch.refuse(delivery, end.code)
            case Case():
                pass


async def take_outcomes(unit: Unit, deps: Deps, told: Sequence[CallbackAttempted]) -> list[End]:
    """The one door for outcomes; answers in their order."""
    cases = await _locked(unit, {each.case_id for each in told})
    terms = await keeping.terms(unit, deps)
    laid = _Laid(cases, await _known(unit, told, cases))
    ends: list[UUID | Refused | NoSuchCase] = []
    for each in told:
        named = cases.get(each.case_id)
        if named is None:
            ends.append(NoSuchCase())
            continue
        case = _survivor(named, cases)
        try:
            if laid.is_new(case, each):
                tried = _tried(case, each, unit, deps)
                laid.add(case, tried, moves.attempt(case, tried, terms.policy, at=unit.now))
        except Refused as refused:
            ends.append(refused)
        else:
            ends.append(case.id)
    await _keep(unit, deps, laid)
    kept = await keeping.keep(unit, deps, laid.changes.values(), policy=terms.policy)
    after = laid.cases | {case.id: case for case in kept}
    return [after[end] if isinstance(end, UUID) else end for end in ends]


@dataclass
class _Laid:
    """The moves of one batch, laid beside each other: a case that moved moves on from there. `known` are the tries kept already."""

    cases: dict[UUID, Case]
    known: set[tuple[UUID, str]]
    changes: dict[UUID, Change] = field(default_factory=dict)
    tries: list[Attempt] = field(default_factory=list)

    def is_new(self, case: Case, told: CallbackAttempted) -> bool:
        """A try told before a merge is kept with the case that ended."""
        return not {(case.id, told.attempt_id), (told.case_id, told.attempt_id)} & self.known

    def add(self, case: Case, tried: Attempt, moved: Moved) -> None:
        earlier = self.changes.get(case.id)
        calls = {**(earlier.calls if earlier else {}), **({tried.attempt_id: tried.platform_ref} if tried.platform_ref else {})}
        self.changes[case.id] = Change(earlier.before if earlier else case, earlier.moved.then(moved) if earlier else moved, calls)
        self.cases[case.id] = moved.case
        self.known.add((case.id, tried.attempt_id))
        self.tries.append(tried)


async def _locked(unit: Unit, ids: set[UUID]) -> dict[UUID, Case]:
    """The named cases and those they ended in, after their customers."""
    owners = await store.customers_of(unit.tx, ids)
    await people.lock(unit.tx, owners)
    named = await store.locked(unit.tx, ids)
    return named | await store.locked(unit.tx, [case.merged_into for case in named.values() if case.merged_into])


async def _known(unit: Unit, told: Iterable[CallbackAttempted], cases: Mapping[UUID, Case]) -> set[tuple[UUID, str]]:
    named = [(each.case_id, each.attempt_id) for each in told]
    return await store.attempted(unit.tx, [*named, *((cases[case].merged_into or case, each) for case, each in named if case in cases)])


def _survivor(case: Case, cases: Mapping[UUID, Case]) -> Case:
    return cases.get(case.merged_into, case) if case.merged_into else case


def _tried(case: Case, told: CallbackAttempted, unit: Unit, deps: Deps) -> Attempt:
    note = sealed_note(told.note, deps.sealer)
    name = case.owner_name if told.by.ref == case.owner else None
    return attempt_of(case, call_of(told), by=By(told.by.kind, told.by.ref, name), now=unit.now, note=note)


async def _keep(unit: Unit, deps: Deps, laid: _Laid) -> None:
    """The tries, and what customers refused on the phone."""
    await store.save_attempts(unit.tx, laid.tries)
    await _told(unit, [told for tried in laid.tries if (told := refusal(laid.cases[tried.case_id], tried))])
    for tried in laid.tries:
        unit.when_committed(deps.metrics.attempts.labels(keeping.outcome_label(tried.outcome)).inc)


async def _told(unit: Unit, refusals: list[ConsentChanged]) -> None:
    await people.save_consents(unit.tx, [told.consent for told in refusals])
    for told in refusals:
        unit.send(told, key=str(told.consent.customer_id), correlation=str(told.consent.customer_id))
