"""Answers that no form of ours would send, links that lead nowhere, and answers that come too late or twice, on the real services."""

import hashlib
import string
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from random import Random
from statistics import median

import httpx
import pytest

from deploy.demo.forms import visit
from shared.schemas import PlatformRef, SurveyAnswered
from tests.support.checking import settle
from tests.support.fleet import Replica
from tests.support.ledger import response
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

STORED = "select (select count(*) from scoring.answer) + (select count(*) from scoring.feedback)"
HEARD = "select coalesce(sum(next), 0) from routing.consumer_offset where topic = 'feedback.scored'"


@dataclass(frozen=True, slots=True)
class Opened:
    """A survey page as somebody has it before them: where its form posts to, and what goes with the score."""

    url: str
    fields: dict[str, str]

    @classmethod
    async def at(cls, client: httpx.AsyncClient, url: str) -> "Opened":
        page = await visit(client, f"{url}?lang=en")
        form = page.form("score")
        return cls(str(httpx.URL(page.url).join(form.action)), form.fields)

    async def send(self, client: httpx.AsyncClient, score: str | list[str] | None) -> httpx.Response:
        """`None` sends the form without a score, a list sends each."""
        given = {} if score is None else {"score": score}
        origin = str(httpx.URL(self.url).copy_with(raw_path=b"")).rstrip("/")
        return await client.post(self.url, data={**self.fields, **given}, headers={"origin": origin})


def _tokens(scene: Scene) -> dict[int, str]:
    """Of every customer asked so far, by their number."""
    numbers = {each.phone: number for number, each in scene.ledger.told.items()}
    return {numbers[each.to]: each.body.partition("/s/")[2].split()[0].rstrip(".") for each in scene.gateway.delivered}


async def _asked(scene: Scene, customers: int) -> dict[int, str]:
    await scene.ledger.tell(range(customers))
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    return _tokens(scene)


async def _expire(scene: Scene, token: str) -> None:
    """Its seven days, and the quarter of an hour in which an answer may be changed, are over. Looks nothing up in the index of tokens."""
    of = f"encode(token_hash, 'hex') = '{hashlib.sha256(token.encode()).hexdigest()}'"
    await scene.fleet.run(f"update scoring.survey set expires_at = now() - interval '1 millisecond' where {of}")
    mine = f"survey_id = (select id from scoring.survey where {of})"
    await scene.fleet.run(f"update scoring.feedback set amendable_until = now() - interval '1 millisecond' where {mine}")


def _by_sms(scene: Scene, number: int, text: str) -> SurveyAnswered:
    of = scene.ledger.told[number]
    contact = PlatformRef(platform=of.platform, account=of.account, ref=of.ref)
    return SurveyAnswered(answer_id=f"sms-{number}", contact=contact, channel="sms", text=text)


ARABIC, PERSIAN, FULL_WIDTH = "\u0669", "\u06f9", "\uff19"
NO_SCORES = ("-1", "\u22121", "11", "7.5", "ten", "", None, "null", "1e1", "+5", "05", " 5", ["2", "9"], ARABIC, PERSIAN, FULL_WIDTH)
TEN_IN_ARABIC = "\u0661\u0660"


async def test_e3_what_is_no_score_of_ours_gets_a_friendly_page_and_is_not_stored(scene: Scene) -> None:
    """The page's own form sends 0 to 10 in plain digits, so other digits there are no answer; an SMS is typed, and read in any script."""
    running = await scene.fleet.start_all("ingest", "scoring")
    tokens = await _asked(scene, 2)
    surveys, statuses = await scene.fleet.rows("select * from scoring.survey"), Counter[int]()
    async with httpx.AsyncClient(timeout=30) as client:
        opened = await Opened.at(client, f"{running['scoring'].url}/s/{tokens[0]}")
        for value in NO_SCORES:
            refused = await opened.send(client, value)
            statuses[refused.status_code] += 1
            assert "Choose one number from 0 to 10" in refused.text, value
            assert 'name="score"' in refused.text, "the form is there to try again"
        stored = await scene.fleet.count(STORED)
        assert await scene.fleet.rows("select * from scoring.survey") == surveys
        assert await scene.fleet.count("select count(*) from scoring.outbox") == 0
        assert await read_all(scene.ledger.broker, "feedback.scored") == []
        assert set(statuses) == {422}
        assert (await opened.send(client, "9")).status_code == 303
    await scene.ledger.publish([response(_by_sms(scene, 1, TEN_IN_ARABIC))])
    await scene.fleet.until("select count(*) from scoring.feedback", 2)
    scores = [each["score"] for each in await scene.fleet.rows("select score from scoring.feedback order by answered_by")]
    told = {
        "statuses": {str(status): count for status, count in statuses.items()},
        "read_from_the_page": scores[0],
        "read_from_sms": scores[1],
    }
    VERDICTS.say(
        "E3",
        events=len(NO_SCORES) + 2,
        lost=2 - sum(each in (9, 10) for each in scores),
        duplicates={"stored": stored},
        began=scene.began,
        **told,
    )
    assert scores == [9, 10]


ROUNDS = 500
FEW = 20
MALFORMED = ("x", "%00", "%22%3E%3Cscript%3E", "a" * 3000, "%FF%FE", "%D9%A9", "not a token")
LOOK_UPS = "select idx_scan from pg_stat_user_indexes where schemaname = 'scoring' and indexrelname = 'survey_token_hash_key'"


async def test_e4_expired_unknown_and_malformed_links_cost_the_same_look_up_and_guessing_is_slowed(scene: Scene) -> None:
    """The limit on guesses is lifted for measuring; then a process with a short one. Each request has a connection of its own, so that
    no wait for an acknowledgement on a kept one, which is the same for all, hides how long the service itself takes.
    """
    await scene.fleet.start("ingest")
    scoring = await (await scene.fleet.start("scoring", SCORING_SURVEY_MISSES=str(10 * ROUNDS))).ready()
    tokens = await _asked(scene, 2)
    await _expire(scene, tokens[0])
    rng, malformed = Random(4), cycle(MALFORMED)
    links: dict[str, Callable[[], str]] = {
        "expired": lambda: tokens[0],
        "unknown": lambda: "".join(rng.choices(string.ascii_letters + string.digits, k=len(tokens[0]))),
        "malformed": lambda: next(malformed),
    }
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    statuses, pages = defaultdict[str, Counter[int]](Counter), set[str]()
    async with httpx.AsyncClient(base_url=f"{scoring.url}/s/", timeout=30, headers={"connection": "close"}) as client:
        for so_far, kind in enumerate(links, start=1):
            for _ in range(FEW):
                await client.get(links[kind]())
            await scene.fleet.until(LOOK_UPS, so_far * FEW, seconds=40)  # PostgreSQL tells its counts at most ten seconds late
        for _ in range(ROUNDS):
            for kind, link in links.items():
                began = time.perf_counter()
                answer = await client.get(link())
                seconds[kind].append(time.perf_counter() - began)
                statuses[kind][answer.status_code] += 1
                pages |= {answer.text} - ({answer.text} if kind == "expired" else set())
    medians = {kind: median(each) for kind, each in seconds.items()}
    assert statuses == {"expired": {410: ROUNDS}, "unknown": {404: ROUNDS}, "malformed": {404: ROUNDS}}
    assert len(pages) == 1, "an unknown and a malformed link lead to the very same page"
    assert max(medians.values()) <= 5 * min(medians.values()), medians
    recorded = await scene.fleet.count(STORED)
    assert await scoring.stop() == 0
    await scene.fleet.until(LOOK_UPS, 3 * (ROUNDS + FEW), seconds=40)
    look_ups = await scene.fleet.count(LOOK_UPS)
    guesses = await _guess(scene, await scene.fleet.start("scoring", SCORING_SURVEY_MISSES="5", SCORING_SURVEY_MISS_EVERY_S="3600"), tokens)
    answered = await scene.fleet.count("select count(*) from scoring.feedback")
    VERDICTS.say(
        "E4",
        events=3 * (ROUNDS + FEW) + sum(guesses.values()),
        lost=1 - answered,
        duplicates={"recorded_by_guessing": recorded},
        began=scene.began,
        look_ups=look_ups,
        median_ms={kind: round(1000 * each, 2) for kind, each in medians.items()},
        guesses={str(status): count for status, count in guesses.items()},
    )


async def _guess(scene: Scene, scoring: Replica, tokens: dict[int, str]) -> Counter[int]:
    """After five guesses that address waits, whatever it says of where it comes from; who has a link is served from there all the same."""
    await scoring.ready()
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=f"{scoring.url}/s/", timeout=30) as client:
        for n in range(12):
            answer = await client.get(f"guess-{n}", headers={"x-forwarded-for": f"198.51.100.{n}"})
            statuses[answer.status_code] += 1
            if answer.status_code == 429:
                assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert statuses == {404: 5, 429: 7}
        assert (await client.get(tokens[0])).status_code == 410
        opened = await Opened.at(client, f"{scoring.url}/s/{tokens[1]}")
        assert (await opened.send(client, "9")).status_code == 303
    return statuses


CUSTOMERS = 12
LATE, ELSEWHERE, LATE_AGAIN = range(4), range(4, 8), range(8, 12)


async def test_e8_an_answer_after_the_end_or_by_another_channel_is_kept_not_counted_and_heard(scene: Scene) -> None:
    """A third answer too late, a third twice by two channels, a third once in time and once too late. Who is unhappy gets a case."""
    running = await scene.fleet.start_all()
    tokens = await _asked(scene, CUSTOMERS)
    async with httpx.AsyncClient(timeout=30) as client:
        links = {number: f"{running['scoring'].url}/s/{token}" for number, token in tokens.items()}
        for number in (*ELSEWHERE, *LATE_AGAIN):
            assert (await (await Opened.at(client, links[number])).send(client, "10")).status_code == 303
        await scene.fleet.until(HEARD, 8)
        assert await scene.fleet.count("select count(*) from routing.cases") == 0, "nobody was unhappy yet"
        for number in (*LATE, *LATE_AGAIN):
            opened = await Opened.at(client, links[number])
            await _expire(scene, tokens[number])
            thanked = await opened.send(client, "0")
            assert thanked.status_code == 200
            assert "came after this question had closed" in thanked.text
            assert (await client.get(links[number])).status_code == 410
    await scene.ledger.publish(response(_by_sms(scene, number, "2")) for number in ELSEWHERE)
    await scene.fleet.until(HEARD, 20)
    await _judge_e8(scene)


async def _judge_e8(scene: Scene) -> None:
    became = Counter(str(each["became"]) for each in await scene.fleet.rows("select became from scoring.answer"))
    stands = Counter(tuple(each.values()) for each in await scene.fleet.rows("select score, counted, uncounted from scoring.feedback"))
    counts = await scene.fleet.rows("select sum(promoters) as p, sum(passives) as n, sum(detractors) as d from scoring.tally_by_team")
    kept = Counter(tuple(each.values()) for each in await scene.fleet.rows("select score, counted from routing.answer"))
    opened = Counter(
        tuple(each.values())
        for each in await scene.fleet.rows(
            "select cast(detail->>'score' as integer), detail->>'uncounted' from routing.case_history where change = 'opened'"
        )
    )
    customers = await scene.fleet.count("select count(distinct customer_id) from routing.cases")
    assert became == {"first": 8, "late": 8, "other_channel": 4}
    assert stands == {(10, True, None): 8, (0, False, "late"): 4}, "the first wins"
    assert list(counts[0].values()) == [8, 0, 0]
    assert kept == {(10, True): 8, (0, False): 4}
    assert opened == {(0, "late"): 8, (2, "other_channel"): 4}
    VERDICTS.say(
        "E8",
        events=scene.ledger.events + sum(became.values()),
        lost=CUSTOMERS - customers,
        duplicates={
            "counted_against_the_rule": int(str(counts[0]["p"])) - 8,
            "duplicate_cases": await scene.fleet.count("select count(*) from routing.cases") - customers,
        },
        began=scene.began,
        became=dict(became),
        cases=customers,
    )
