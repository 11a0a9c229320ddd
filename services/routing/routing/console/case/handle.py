"""A case and everything its page shows, read in one transaction."""

from typing import Any

from routing.cases.queue.handle import Story, story
from routing.cases.terms import Terms
from routing.cases.work.handle import number_ending
from routing.cases.work.model import Reachable
from routing.console import store as own
from routing.console.case.outcome import CAUSE_KEYS, CHOICES, Filled
from routing.console.case.sheet import calling, may, sheet, spoken, stages
from routing.console.case.story import lines
from routing.console.look import Look
from routing.console.words import CAUSES
from routing.deps import Deps
from routing.errors import NoSuchCase
from shared.runtime.database import Unit


async def read(unit: Unit, deps: Deps, look: Look, *, key: int) -> Story:
    """`NoSuchCase` as well for another team's, and for one that is held out: nobody works on those."""
    told = await story(unit, deps, key, teams=look.teams)
    if told is None or told.case.route.value == "hold_out":
        raise NoSuchCase
    return told


async def values(
    unit: Unit, deps: Deps, look: Look, terms: Terms, *, told: Story, filled: Filled, reachable: Reachable | None = None
) -> dict[str, Any]:
    case = told.case
    alerts = await own.alerts_of(unit.tx, case.id)
    tries = {each.attempt.attempt_id: (each.attempt, each.note) for each in told.attempts}
    ending = number_ending(case, deps) if case.is_workable else None
    team = terms.rota.team(case.team)
    return {
        "case": sheet(case, terms.policy, look),
        "stages": stages(case, told.history, look),
        "spoken": spoken([(each.answer, each.comment) for each in told.answers], told.history, look),
        "calling": calling(case, look, ending=ending),
        "may": may(case, look, moves=True),
        "story": lines(
            [each.answer for each in told.answers],
            told.history,
            tries=tries,
            alerts=alerts,
            look=look,
            policy_version=case.policy_version,
        ),
        "zone": look.zone.split("/")[-1].replace("_", " "),
        "merged_into": told.merged_into,
        "choices": CHOICES,
        "causes": [(code, words, CAUSE_KEYS[code]) for code, words in CAUSES.items()],
        "filled": filled,
        "reachable": reachable,
        "people": [each for each in team.people if each.ref != case.owner] if team else [],
        "conflict": None,
        "refused": None,
        "finished": None,
    }
