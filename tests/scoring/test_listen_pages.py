"""The survey page, as a browser without scripts sees it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from shared.runtime.database import Database
from shared.schemas import ConsentChanged
from tests.support.listening import HEADERS, Listening, listening, person


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    async with listening(scoring_database) as made:
        yield made


async def test_looking_records_nothing(scoring: Listening) -> None:
    token = await scoring.asked()
    before = await scoring.service.rows("select * from survey")

    for path in (f"/s/{token}", f"/s/{token}?score=9", f"/s/{token}/more", f"/s/{token}/thanks", f"/s/{token}/stop"):
        for method in ("GET", "HEAD", "OPTIONS"):
            for _ in range(7):
                await scoring.browser.request(method, path, headers={**HEADERS, "purpose": "prefetch"})

    assert await scoring.answers() == []
    assert await scoring.told() == []
    assert await scoring.service.rows("select * from survey") == before
    assert await scoring.service.rows("select * from consent") == []


async def test_the_question_is_one_plain_form_that_tells_nobody_anything(scoring: Listening) -> None:
    shown = await scoring.get(f"/s/{await scoring.asked()}")

    assert shown.status_code == 200
    assert shown.text.count('type="radio" name="score"') == 11
    assert 'lang="en" dir="ltr"' in shown.text
    assert "how likely are you to recommend Larkfield" in shown.text
    assert "checked" not in shown.text
    assert 'content="noindex, nofollow"' in shown.text
    assert 'content="no-referrer"' in shown.text
    assert "set-cookie" not in shown.headers
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"


async def test_a_link_with_a_score_selects_it_and_sends_nothing(scoring: Listening) -> None:
    shown = await scoring.get(f"/s/{await scoring.asked()}?score=3")

    assert 'value="3" checked' in shown.text
    assert await scoring.answers() == []


async def test_a_score_is_saved_at_once_and_three_more_questions_complete_it(scoring: Listening) -> None:
    token = await scoring.asked(moment="payment")
    saved = await scoring.post(f"/s/{token}", follow=True, score=3, revision=0)

    assert "Your 3 is saved" in saved.text
    assert "On the number ending 43, from a person" in saved.text

    done = await scoring.post(
        f"/s/{token}/more",
        follow=True,
        revision=1,
        comment="I waited too long",
        resolved="no",
        callback="yes",
        callback_wish=["morning", "evening"],
    )

    assert "A person from our team will call you." in done.text
    assert "In the morning, 9 to 12 or in the evening, 5 to 8, on the number ending 43." in done.text
    assert "You can change it until" in done.text
    first, second = await scoring.told()
    assert (first.revision, first.score, first.band, first.counted, first.comment) == (1, 3, "detractor", True, None)
    assert (second.revision, second.score, second.resolved, second.callback) == (2, 3, "no", "yes")
    assert len(second.callback_wish) >= 4
    assert scoring.service.deps.sealer.unseal(second.comment) == "I waited too long"  # type: ignore[arg-type]
    assert second.comment_language == "en"
    assert await scoring.counts_are_right()


async def test_the_published_answer_tells_the_whole_story(scoring: Listening) -> None:
    token = await scoring.asked(moment="payment", team="birch")
    await scoring.post(f"/s/{token}", score=9)

    (told,) = await scoring.told()
    assert (told.kind, told.origin, told.asked_by, told.answered_by) == ("tnps", "ours", "sms", "page")
    assert told.contact is not None
    assert (told.contact.team, told.contact.moment, told.contact.interaction_id) == ("birch", "payment", told.anchor)
    assert told.customer is not None
    assert (told.customer.customer_id, told.customer.segment) == (UUID(int=1), "family")
    assert told.decision is not None
    assert told.decision.outcome == "invited"
    assert [rule for rule, verdict, _ in told.decision.verdicts if verdict == "pass"][:3] == ["customer", "standing", "purpose"]
    assert told.asked_at is not None
    assert told.cell is not None
    assert told.rate == 1.0
    (key,) = await scoring.service.rows("select key, topic from outbox where type = :type", type=told.TYPE)
    assert (key["key"], key["topic"]) == (str(UUID(int=1)), "feedback.scored")


@pytest.mark.parametrize("score", ["-1", "11", "7.5", "ten", "", "1e1", "٩", "１０", "9 ", None, "null"])
async def test_what_is_no_score_comes_back_as_a_friendly_page_and_stores_nothing(scoring: Listening, score: str | None) -> None:
    token = await scoring.asked()
    shown = await (scoring.post(f"/s/{token}") if score is None else scoring.post(f"/s/{token}", score=score))

    assert shown.status_code == 422
    assert "<title>Error: " in shown.text
    assert 'role="alert" tabindex="-1" autofocus' in shown.text
    assert 'href="#score-0"' in shown.text
    assert await scoring.answers() == []


async def test_a_hundred_first_answers_at_once_are_one_score(scoring: Listening) -> None:
    token = await scoring.asked()
    answers = await asyncio.gather(*(scoring.post(f"/s/{token}", score=number % 11) for number in range(100)))

    statuses = {answer.status_code for answer in answers}
    assert statuses <= {303, 503}
    assert sum(answer.headers.get("location", "").endswith("/more") for answer in answers) == 1
    (told,) = await scoring.told()
    shown = await scoring.get(f"/s/{token}")
    assert f"You answered {told.score} at" in shown.text
    assert [became for became, _ in await scoring.answers()].count("first") == 1
    assert await scoring.counts_are_right()


async def test_a_second_visit_shows_the_answer_to_change_and_a_change_names_what_it_saw(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.post(f"/s/{token}", score=9)
    shown = await scoring.get(f"/s/{token}")

    assert "You answered 9 at" in shown.text
    assert 'name="revision" value="1"' in shown.text
    assert 'value="9" checked' in shown.text

    await scoring.post(f"/s/{token}", score=5, revision=0)
    assert [told.score for told in await scoring.told()] == [9], "a form from before the answer changes nothing"

    changed = await scoring.post(f"/s/{token}", follow=True, score=2, revision=1)
    assert "<dd>2</dd>" in changed.text
    assert [(told.score, told.revision) for told in await scoring.told()] == [(9, 1), (2, 2)]
    assert await scoring.counts_are_right()


async def test_after_a_quarter_of_an_hour_the_score_is_read_only_and_words_still_arrive(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.post(f"/s/{token}", score=3)
    await scoring.pass_time(minutes=16)
    shown = await scoring.get(f"/s/{token}")

    assert "The score can no longer be changed." in shown.text
    assert 'type="radio"' not in shown.text
    assert '<textarea id="why" name="comment"' in shown.text

    thanked = await scoring.post(f"/s/{token}/more", follow=True, revision=1, comment="still not solved")
    assert "still not solved" in thanked.text
    assert "Change my answer" not in thanked.text
    told = (await scoring.told())[-1]
    assert (told.score, told.counted, scoring.service.deps.sealer.unseal(told.comment)) == (3, True, "still not solved")  # type: ignore[arg-type]


async def test_after_seven_days_the_page_is_gone_and_an_answer_from_an_open_page_is_kept_as_late(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.pass_time(days=8)

    for below in ("", "/more", "/thanks"):
        gone = await scoring.get(f"/s/{token}{below}")
        assert gone.status_code == 410
        assert "<form" not in gone.text

    thanked = await scoring.post(f"/s/{token}", score=0)
    assert thanked.status_code == 200
    assert "came after this question had closed" in thanked.text
    (told,) = await scoring.told()
    assert (told.score, told.counted, told.uncounted) == (0, False, "late")
    assert await scoring.answers() == [("late", 0)]
    assert await scoring.counts_are_right()


async def test_unknown_and_malformed_tokens_get_the_same_page(scoring: Listening) -> None:
    unknown = await scoring.get("/s/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4")
    malformed = await scoring.get("/s/%F0%9F%91%8D%22%3E%3Cscript%3E")

    assert unknown.status_code == malformed.status_code == 404
    assert unknown.text == malformed.text
    assert "We cannot find this question" in unknown.text
    assert (await scoring.post("/s/nothing", score=3)).status_code == 404
    assert (await scoring.post("/s/nothing/stop")).status_code == 404


async def test_a_token_rests_as_its_hash_only(scoring: Listening) -> None:
    token = await scoring.asked()
    (survey,) = await scoring.service.surveys()

    assert token not in str(dict(survey))


async def test_stop_takes_a_page_and_a_press_and_takes_effect_at_once(scoring: Listening) -> None:
    token = await scoring.asked()
    assert "Stop these questions?" in (await scoring.get(f"/s/{token}/stop")).text
    assert await scoring.service.rows("select * from consent") == []

    stopped = await scoring.post(f"/s/{token}/stop")

    assert "We have stopped asking" in stopped.text
    (told,) = await scoring.service.sent_messages(ConsentChanged)
    consent = told.consent
    assert (consent.customer_id, consent.channel, consent.purpose, consent.state) == (UUID(int=1), "any", "survey", "refused")
    assert await scoring.consents() == [(None, "any", "survey", "refused")]


HOSTILE = "<script>alert(1)</script> {{7*7}} =cmd() \x00\x07 \ud83d"


async def test_hostile_words_are_shown_as_words_and_control_characters_are_left_out(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.post(f"/s/{token}", score=3)
    shown = await scoring.post(f"/s/{token}/more", follow=True, revision=1, comment=HOSTILE.encode(errors="replace").decode())

    assert shown.status_code == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}} =cmd()" in shown.text
    assert "<script>alert" not in shown.text
    assert "\x00" not in shown.text


async def test_words_longer_than_the_form_allows_are_cut_and_a_huge_form_is_refused(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.post(f"/s/{token}", score=3)

    assert (await scoring.post(f"/s/{token}/more", revision=1, comment="a" * 50_000)).status_code == 303
    assert (await scoring.post(f"/s/{token}/more", revision=2, comment="a" * 1_100_000)).status_code == 413
    told = (await scoring.told())[-1]
    assert scoring.service.deps.sealer.unseal(told.comment) == "a" * 2000  # type: ignore[arg-type]


async def test_words_without_a_score_are_kept_and_go_with_the_score(scoring: Listening) -> None:
    token = await scoring.asked()
    again = await scoring.post(f"/s/{token}/more", follow=True, comment="I only want to say this")

    assert "how likely are you" in again.text
    assert await scoring.told() == []
    await scoring.post(f"/s/{token}", score=4)
    (told,) = await scoring.told()
    assert scoring.service.deps.sealer.unseal(told.comment) == "I only want to say this"  # type: ignore[arg-type]


@pytest.mark.parametrize(("score", "asks"), [(6, 1), (7, 0)])
async def test_a_call_is_offered_only_to_those_who_are_not_happy(scoring: Listening, score: int, asks: int) -> None:
    shown = await scoring.post(f"/s/{await scoring.asked()}", follow=True, score=score)

    assert shown.text.count("May we call you") == asks


async def test_without_a_number_no_call_is_offered(scoring: Listening) -> None:
    who = person()
    (point,) = who.points
    token = await scoring.asked(who.model_copy(update={"points": (point.model_copy(update={"can": ("sms",)}),)}))
    shown = await scoring.post(f"/s/{token}", follow=True, score=1)

    assert "May we call you" not in shown.text


async def test_where_the_database_is_away_the_answer_comes_back_filled(scoring: Listening) -> None:
    token = await scoring.asked()
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", schema="scoring", pool_wait=0.2)
    there = scoring.app.state.deps
    scoring.app.state.deps = _with_database(there, away)

    kept = await scoring.post(f"/s/{token}/more", comment='"quoted" <words>', callback_wish=["morning", "evening"], score=3)
    shown = await scoring.get(f"/s/{token}")
    await away.close()

    assert kept.status_code == shown.status_code == 503
    assert "Your 3 is kept on this page." in kept.text
    assert 'name="comment" value="&#34;quoted&#34; &lt;words&gt;"' in kept.text
    assert kept.text.count('name="callback_wish"') == 2
    assert "Send it now" in kept.text
    assert "Try again" in shown.text
    scoring.app.state.deps = there
    assert await scoring.answers() == []


def _with_database(deps: Any, database: Database) -> object:
    return replace(deps, database=database)


async def test_the_page_speaks_the_invitations_language_offers_the_other_and_stays_in_the_one_chosen(scoring: Listening) -> None:
    token = await scoring.asked(person(language="es-MX"))
    spanish = await scoring.get(f"/s/{token}")

    assert '<html lang="es" dir="ltr">' in spanish.text
    assert "¿qué tan probable es que recomiende Larkfield" in spanish.text
    assert 'href="?lang=en"' in spanish.text
    english = await scoring.get(f"/s/{token}?lang=en")
    assert f'action="/s/{token}?lang=en"' in english.text
    saved = await scoring.post(f"/s/{token}?lang=en", follow=True, score=3)
    assert "Your 3 is saved" in saved.text
    assert [told.comment_language for told in await scoring.told()] == [None], "a language is said of words, and there are none"


async def test_an_expired_an_unknown_and_a_malformed_token_cost_one_look_up(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.pass_time(days=8)
    statements: list[str] = []
    engine = scoring.service.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(str(given[2])))

    for asked in (token, "unknown", "%22%3E%3Cscript%3E", "a" * 3000):
        statements.clear()
        await scoring.get(f"/s/{asked}")
        assert ["token_hash" in each for each in statements] == [True], "the look-up"
