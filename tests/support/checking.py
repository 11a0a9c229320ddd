"""The ledger against the databases, the topics and the gateway's log."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.support.fleet import SERVICES, Fleet, Rows
from tests.support.ledger import Ledger, is_detractor
from tests.support.verdicts import VERDICTS
from tests.support.whole import read_all

_REFS = "select platform, account, root, count(distinct id) as ids from ingest.interaction group by 1, 2, 3"
_SCORES = """select i.ref, f.score, count(*) over (partition by f.anchor) as times
  from scoring.feedback f join scoring.decision i on i.anchor = f.anchor and i.kind = f.kind where f.kind = 'tnps'"""
_TALLIED = "select coalesce(sum(promoters + passives + detractors), 0) as n from scoring.tally_by_team where kind = 'tnps'"
_SETTLED = """select count(*) from scoring.survey
  where kind = 'tnps' and (state in ('sent', 'unsent') or (state = 'unknown' and due is null))"""
_CASES = "select c.customer_id, count(*) as n from routing.cases c group by 1"
_UNALERTED = "select count(*) as n from routing.cases c where not exists (select from routing.alert_case a where a.case_id = c.id)"

_EFFECTS = (
    "select id, revision from ingest.interaction order by 1, 2",
    "select id, revision, outcome from scoring.decision order by 1",
    "select id, state, attempts from scoring.survey order by 1",
    "select survey_id, score, revision, published from scoring.feedback order by 1",
    "select day, kind, channel, segment, moment, promoters, passives, detractors from scoring.tally_by_segment order by 1, 2, 3, 4, 5",
    "select id, revision, state from routing.cases order by 1",
)


async def effects(fleet: Fleet) -> list[Rows]:
    """What the services have done, to be compared with what they have done later."""
    return [await fleet.rows(sql) for sql in _EFFECTS]


@dataclass(frozen=True, slots=True)
class Found:
    """`lost` names what is missing, by where it is missing."""

    lost: dict[str, int]
    duplicate_interactions: int = 0
    duplicate_surveys: int = 0
    duplicate_scores: int = 0
    duplicate_cases: int = 0
    wire_duplicates: int = 0


async def settle(fleet: Fleet, ledger: Ledger, *services: str, surveys: int | None = None, seconds: float = 300) -> None:
    """Wait until everything that must come has come, and nothing is owed to the broker any more."""
    wanted, through = len(ledger.told), services or SERVICES
    await fleet.until("select count(distinct (platform, account, root)) from ingest.interaction", wanted, seconds=seconds)
    if "scoring" in through:
        await fleet.until("select count(distinct interaction_id) from scoring.decision where kind = 'tnps'", wanted, seconds=seconds)
        await fleet.until(_SETTLED, wanted if surveys is None else surveys, seconds=seconds)
    if "routing" in through:
        await fleet.until("select count(*) from scoring.feedback where kind = 'tnps'", wanted, seconds=seconds)
        await fleet.until("select count(*) from routing.answer where kind = 'tnps'", wanted, seconds=seconds)
    for service in through:
        await fleet.until(f"select count(*) from {service}.outbox", 0, seconds=60)


async def compare(fleet: Fleet, ledger: Ledger, *services: str) -> Found:
    through = services or SERVICES
    lost, kept = {}, {(each["platform"], each["account"], each["root"]): each["ids"] for each in await fleet.rows(_REFS)}
    lost["interactions"] = len(ledger.refs - kept.keys())
    broker = fleet.broker()
    try:
        wire = [json.loads(each.value or b"{}") for each in await read_all(broker, "interactions.completed")]
    finally:
        await broker.stop()
    told = Counter((each["platform"], each["account"], each["ref"], each["revision"]) for each in wire)
    lost["messages"] = len(ledger.refs - {key[:3] for key in told})
    found = {"duplicate_interactions": sum(int(str(ids)) - 1 for ids in kept.values()), "wire_duplicates": len(wire) - len(told)}
    if "scoring" in through:
        asked = fleet.gateway.asked()
        lost["surveys"] = len({each.phone for each in ledger.told.values()} - asked.keys())
        found["duplicate_surveys"] = sum(times - 1 for times in asked.values())
    if "routing" in through:
        lost |= await _answers(fleet, ledger)
        found |= await _cases(fleet)
    return Found(lost, **found)


async def _answers(fleet: Fleet, ledger: Ledger) -> dict[str, int]:
    by_ref = {each.ref: number for number, each in ledger.told.items()}
    scores = {by_ref[str(each["ref"])]: each["score"] for each in await fleet.rows(_SCORES)}
    wrong = [number for number, score in ledger.answered.items() if scores.get(number) != score]
    cases = await fleet.count("select count(distinct customer_id) from routing.cases")
    return {
        "scores": len(wrong),
        "counts": abs(len(ledger.answered) - await fleet.count(_TALLIED)),
        "cases": sum(is_detractor(number) for number in ledger.answered) - cases,
        "alerts": await fleet.count(_UNALERTED),
    }


async def _cases(fleet: Fleet) -> dict[str, int]:
    scored = await fleet.rows(_SCORES)
    return {
        "duplicate_scores": sum(int(str(each["times"])) > 1 for each in scored),
        "duplicate_cases": sum(int(str(each["n"])) - 1 for each in await fleet.rows(_CASES)),
    }


async def judged(case: str, fleet: Fleet, ledger: Ledger, *services: str, began: float, **more: Any) -> Found:
    """Compare, print the line of the case, and fail where anything is lost or doubled. Wire duplicates are told, not a fault."""
    found = await compare(fleet, ledger, *services)
    duplicates = {
        name: getattr(found, name) for name in ("duplicate_interactions", "duplicate_surveys", "duplicate_scores", "duplicate_cases")
    }
    lost = sum(found.lost.values())
    told = {"kills": fleet.kills, "contacts": len(ledger.told), "wire_duplicates": found.wire_duplicates, **more}
    if lost:
        told["lost_where"] = {name: count for name, count in found.lost.items() if count}
    VERDICTS.say(case, events=ledger.events + len(ledger.answered), lost=lost, duplicates=duplicates, began=began, **told)
    return found
