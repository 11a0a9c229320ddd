"""A case with everything that is known of it, its sealed words opened for those who may read them."""

from dataclasses import dataclass
from uuid import UUID

from routing.cases.answer import store as answers
from routing.cases.answer.model import Answer
from routing.cases.model import Attempt, Case, Step
from routing.cases.queue import store
from routing.deps import Deps
from shared.runtime.database import Unit
from shared.runtime.sealing import Sealer
from shared.schemas import Sealed


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of the case and what the customer wrote."""

    answer: Answer
    comment: str | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A try to call and what whoever called noted."""

    attempt: Attempt
    note: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """Each part oldest first. `merged_into` is the number of the case this one ended in."""

    case: Case
    answers: tuple[Told, ...]
    history: tuple[Step, ...]
    attempts: tuple[Tried, ...]
    merged_into: int | None


async def story(unit: Unit, deps: Deps, key: int | UUID, *, teams: frozenset[str] | None) -> Story | None:
    """None when there is no such case, or it is another team's."""
    case = await store.case(unit.tx, key, teams=teams)
    if case is None:
        return None
    told = await answers.of_case(unit.tx, case.id)
    tried = await store.attempts(unit.tx, case.id)
    into = await store.case(unit.tx, case.merged_into, teams=None) if case.merged_into else None
    return Story(
        case=case,
        answers=tuple(Told(each, opened(each.feedback.comment if each.feedback else None, deps.sealer)) for each in told),
        history=tuple(await store.history(unit.tx, case.id)),
        attempts=tuple(Tried(each, opened(each.note, deps.sealer)) for each in tried),
        merged_into=into.number if into else None,
    )


def opened(sealed: Sealed | dict[str, str] | None, sealer: Sealer) -> str | None:
    """What was sealed, as text."""
    if sealed is None:
        return None
    return str(sealer.unseal(sealed if isinstance(sealed, Sealed) else Sealed(**sealed)))
