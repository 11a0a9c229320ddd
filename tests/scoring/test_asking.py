"""From a completed contact to a reserved survey, on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from scoring.decide import store as decisions
from scoring.people import store as people
from shared.runtime.pipeline import ask
from shared.schemas import ConsentChanged, CustomerChanged, PlatformRef, SurveyDecided
from tests.support.asking import PHONE, Scoring, case, completed, consent, customer, mail, phone
from tests.support.round_trips import round_trips


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Scoring]:
    made = Scoring(scoring_database)
    yield made
    await made.close()


async def test_an_eligible_contact_reserves_one_survey_and_tells_it(scoring: Scoring) -> None:
    contact = completed(customer())

    await scoring.deliver(contact)

    (survey,) = await scoring.surveys()
    (told,) = await scoring.sent_messages(SurveyDecided)
    assert (survey["state"], survey["channel"], survey["address_ref"], survey["anchor"]) == (
        "planned",
        "sms",
        PHONE,
        contact.interaction_id,
    )
    assert (told.outcome, told.reason, told.survey_id, told.phase) == ("invited", "eligible", survey["id"], "decide")
    assert len(told.verdicts) == 19
    assert told.rate == 1.0


async def test_the_same_contact_twice_is_decided_once(scoring: Scoring) -> None:
    contact = completed(customer())

    await scoring.deliver(contact, contact)
    await scoring.deliver(contact)

    assert len(await scoring.surveys()) == 1
    assert len(await scoring.sent_messages(SurveyDecided)) == 1


async def test_several_contacts_of_one_customer_in_one_batch_are_one_survey(scoring: Scoring) -> None:
    await scoring.deliver(*(completed(customer()) for _ in range(5)))

    assert len(await scoring.surveys()) == 1
    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), *[("suppressed", "quarantine_any")] * 4]


async def test_five_contacts_of_one_customer_on_two_replicas_at_once_are_one_survey(scoring: Scoring, scoring_database: str) -> None:
    other = Scoring(scoring_database)
    contacts = [completed(customer()) for _ in range(5)]

    await asyncio.gather(*((scoring if index % 2 else other).deliver(each) for index, each in enumerate(contacts)))

    assert len(await scoring.surveys()) == 1
    assert len(await scoring.outcomes()) == 5
    await other.close()


async def test_two_people_with_one_phone_on_two_replicas_share_its_cap(scoring: Scoring, scoring_database: str) -> None:
    other = Scoring(scoring_database)
    household = [completed(customer(customer_id=UUID(int=number), points=(phone(),))) for number in (1, 2)]

    await asyncio.gather(scoring.deliver(household[0]), other.deliver(household[1]))

    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), ("suppressed", "caps")]
    await other.close()


async def test_a_contact_without_a_customer_is_decided_too(scoring: Scoring) -> None:
    contact = completed()

    await scoring.deliver(contact)

    (told,) = await scoring.sent_messages(SurveyDecided)
    assert (told.outcome, told.reason, told.customer_id) == ("suppressed", "no_customer", None)


async def test_a_reopened_contact_gives_its_place_back_and_takes_it_again_when_over(scoring: Scoring) -> None:
    first = completed(customer())
    reopened = first.model_copy(update={"revision": 2, "standing": "reopened"})
    over = first.model_copy(update={"revision": 3})

    await scoring.deliver(first)
    (before,) = await scoring.surveys()
    await scoring.deliver(reopened)
    (held,) = await scoring.surveys()
    await scoring.deliver(over)
    (again,) = await scoring.surveys()

    assert (held["state"], held["reason"]) == ("unsent", "standing")
    assert (again["id"], again["state"], again["interaction_revision"]) == (before["id"], "planned", 3)
    assert [told.outcome for told in await scoring.sent_messages(SurveyDecided)] == ["invited", "suppressed", "invited"]
    assert [told.revision for told in await scoring.sent_messages(SurveyDecided)] == [1, 2, 3]


async def test_an_older_revision_changes_nothing(scoring: Scoring) -> None:
    contact = completed(customer())

    await scoring.deliver(contact.model_copy(update={"revision": 2}))
    await scoring.deliver(contact.model_copy(update={"standing": "reopened"}))

    assert await scoring.outcomes() == [("invited", "eligible")]


async def test_revisions_in_one_batch_count_as_the_highest(scoring: Scoring) -> None:
    contact = completed(customer())

    await scoring.deliver(contact.model_copy(update={"revision": 2, "standing": "reopened"}), contact)

    assert await scoring.outcomes() == [("suppressed", "standing")]


async def test_a_place_given_back_is_free_for_the_next_contact(scoring: Scoring) -> None:
    first = completed(customer())
    await scoring.deliver(first)
    await scoring.deliver(first.model_copy(update={"revision": 2, "standing": "reopened"}))

    await scoring.deliver(completed(customer()))

    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), ("suppressed", "standing")]


async def test_a_missing_zone_is_waited_for_and_decided_when_it_comes(scoring: Scoring) -> None:
    nowhere = customer(candidate_zones=())
    await scoring.deliver(completed(nowhere))
    assert await scoring.outcomes() == [("deferred", "hours")]

    await scoring.deliver(CustomerChanged(customer=customer(version=2), change="updated", at=datetime.now(UTC), supersedes=()))

    assert await scoring.turn("deferred decisions") == 1
    assert await scoring.outcomes() == [("invited", "eligible")]
    assert len(await scoring.surveys()) == 1


async def test_looking_again_in_vain_is_no_new_revision_and_ends_after_a_day(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(candidate_zones=())))

    await scoring.move("decision", "retry_at", seconds=900)
    assert await scoring.turn("deferred decisions") == 1
    assert await scoring.turn("deferred decisions") == 0
    assert len(await scoring.sent_messages(SurveyDecided)) == 1

    await scoring.move("decision", "retry_at", seconds=86_400)
    await scoring.move("decision", "give_up_at", seconds=90_000)
    await scoring.turn("deferred decisions")

    assert await scoring.outcomes() == [("suppressed", "hours")]
    assert await scoring.turn("deferred decisions") == 0


async def test_a_refusal_told_before_the_contact_stops_it(scoring: Scoring) -> None:
    refusal = consent(channel="sms", purpose="any", address_ref=PHONE)
    await scoring.deliver(ConsentChanged(consent=refusal))

    await scoring.deliver(completed(customer(points=(phone(),))))

    assert await scoring.outcomes() == [("suppressed", "opt_out")]


async def test_consents_in_every_order_and_doubled_come_to_the_same(scoring: Scoring) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    facts = [consent("granted", at=at), consent("refused", at=at), consent("granted", at=at - timedelta(days=1))]

    for order in (facts, facts[::-1], [facts[1], facts[0], facts[1]]):
        await scoring.deliver(*(ConsentChanged(consent=fact) for fact in order))
        (kept,) = await scoring.rows("select state from consent")
        assert kept["state"] == "refused"


async def test_the_same_refusals_of_several_sources_in_every_order_end_as_one_row(scoring: Scoring) -> None:
    ends = set()
    for order in permutations([*(consent("refused", source=source) for source in "abc"), consent("granted", source="z")]):
        for fact in (*order, *order):
            await scoring.deliver(ConsentChanged(consent=fact))
        (kept,) = await scoring.rows("delete from consent returning state, source")
        ends.add(tuple(kept.values()))

    assert ends == {("refused", "c")}


async def test_the_newest_snapshot_of_a_customer_wins(scoring: Scoring) -> None:
    flagged = customer(version=3, flags=("deceased",))
    await scoring.deliver(CustomerChanged(customer=flagged, change="updated", at=datetime.now(UTC), supersedes=()))

    await scoring.deliver(completed(customer(version=2)))

    assert await scoring.outcomes() == [("suppressed", "flags")]


async def test_a_merged_customer_has_one_history(scoring: Scoring) -> None:
    old, new = customer(customer_id=UUID(int=2), known=False), customer(customer_id=UUID(int=1))
    await scoring.deliver(completed(old))

    await scoring.deliver(CustomerChanged(customer=new, change="merged", at=datetime.now(UTC), supersedes=(old.customer_id,)))
    await scoring.deliver(completed(new))
    await scoring.deliver(completed(old))

    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), *[("suppressed", "quarantine_any")] * 2]
    assert {each["customer_id"] for each in await scoring.surveys()} == {new.customer_id}


async def test_merges_in_any_order_end_at_the_last_customer(scoring: Scoring) -> None:
    first, second, third = (customer(customer_id=UUID(int=number)) for number in (1, 2, 3))
    into = {"change": "merged", "at": datetime.now(UTC)}

    await scoring.deliver(
        CustomerChanged(customer=third, supersedes=(second.customer_id,), **into),
        CustomerChanged(customer=second, supersedes=(first.customer_id,), **into),
    )

    async with scoring.database.transaction() as unit:
        known = await ask(unit.tx, people.known_as([each.customer_id for each in (first, second, third)], {}))
    assert {person.id for person in known.by_id.values()} == {third.customer_id}


async def test_what_a_merged_customer_refused_stays_refused(scoring: Scoring) -> None:
    await scoring.deliver(ConsentChanged(consent=consent(channel="any", customer_id=UUID(int=2))))
    merged = CustomerChanged(customer=customer(), change="merged", at=datetime.now(UTC), supersedes=(UUID(int=2),))

    await scoring.deliver(merged)
    await scoring.deliver(completed(customer()))

    assert await scoring.outcomes() == [("suppressed", "opt_out")]


async def test_scoring_tells_what_it_knows_of_a_customer_with_their_consents(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.deliver(ConsentChanged(consent=consent(address_ref=PHONE)))

    async with scoring.database.transaction() as unit:
        known = await people.customer(unit.tx, UUID(int=1))
        nobody = await people.customer(unit.tx, uuid4())

    assert nobody is None
    assert known is not None
    assert known.segment == "family"
    assert [fact.address_ref for fact in known.consents] == [PHONE]


async def test_a_customer_about_to_be_called_is_not_asked_until_the_case_is_closed(scoring: Scoring) -> None:
    opened = case("open", revision=1)
    await scoring.deliver(case("closed", revision=4))
    await scoring.deliver(opened)
    await scoring.deliver(completed(customer()))
    assert await scoring.outcomes() == [("invited", "eligible")]

    await scoring.deliver(case("attempting", revision=1, case_id=uuid4(), customer_id=UUID(int=2)))
    await scoring.deliver(completed(customer(customer_id=UUID(int=2), points=(mail("other"), phone("another"))), point_ref="another"))

    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), ("suppressed", "open_callback")]


async def test_our_own_callback_that_comes_back_as_a_contact_is_never_surveyed(scoring: Scoring) -> None:
    contact = completed(customer())
    call = PlatformRef(platform=contact.platform, account=contact.account, ref=contact.ref)
    await scoring.deliver(case("closed", revision=2, platform_ref=call))

    await scoring.deliver(contact)

    assert await scoring.outcomes() == [("suppressed", "purpose")]


async def test_the_story_of_a_decision_names_every_rule(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    (survey,) = await scoring.surveys()

    async with scoring.database.transaction() as unit:
        story = await decisions.decision_story(unit.tx, survey["decision_id"])

    assert story is not None
    assert (story.outcome, story.reason, story.rate) == ("invited", "eligible", 1.0)
    assert story.verdicts[0][:2] == ("customer", "pass")
    assert story.verdicts[-1][:2] == ("sampling", "pass")


async def test_five_hundred_contacts_take_no_more_statements_than_one(scoring: Scoring) -> None:
    await scoring.deliver(completed(None))  # a new deployment writes its policies once
    async with round_trips(scoring.database) as trips:
        await scoring.deliver(completed(customer()))
        one = trips.statements()

        await scoring.deliver(*(completed(customer(customer_id=uuid4(), points=(phone(f"p{n}"),)), point_ref=f"p{n}") for n in range(500)))

        assert trips.statements() - one <= one


async def test_a_decision_is_told_in_the_form_its_schema_writes(scoring: Scoring) -> None:
    nowhere = customer(customer_id=uuid4(), candidate_zones=(), points=(phone("theirs"),))
    await scoring.deliver(completed(customer()), completed(None), completed(nowhere, point_ref="theirs"))

    told = [each["payload"] for each in await scoring.rows("select payload from outbox where type = :type", type=SurveyDecided.TYPE)]

    assert {SurveyDecided.model_validate_json(each).outcome for each in told} == {"invited", "suppressed", "deferred"}
    assert all(json.loads(each) == json.loads(SurveyDecided.model_validate_json(each).encode()) for each in told)
