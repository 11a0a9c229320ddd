"""Consents merge the same in every order, and a refusal is never lost."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consent import allows, merge, refuses, standing, subject_of
from shared.schemas import Consent

PERSON, SOMEBODY_ELSE = UUID(int=1), UUID(int=2)
PHONE, OTHER_PHONE = "ref-of-a-phone", "ref-of-another"
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(
    state: str, at: datetime, *, channel: str = "sms", purpose: str = "survey", of: UUID | str = PERSON, source: str = "crm"
) -> Consent:
    subject = {"customer_id": of} if isinstance(of, UUID) else {"address_ref": of}
    return Consent.model_validate({"channel": channel, "purpose": purpose, "state": state, "at": at, "source": source, **subject})


def asked_by_sms(*facts: Consent) -> str | None:
    return standing(facts, customer_id=PERSON, address_ref=PHONE, channel="sms", purpose="survey")


facts = st.builds(
    fact,
    st.sampled_from(["granted", "refused"]),
    st.integers(0, 3).map(lambda n: MONDAY + n * HOUR),
    channel=st.sampled_from(["sms", "voice", "any"]),
    purpose=st.sampled_from(["survey", "any"]),
    of=st.sampled_from([PERSON, SOMEBODY_ELSE, PHONE]),
    source=st.sampled_from(["crm", "page", "sms_stop"]),
)


@given(st.lists(facts, max_size=5))
def test_the_same_consents_in_every_order_and_doubled_end_the_same(some: list[Consent]) -> None:
    ends = {merge(order) for order in permutations(some)} | {merge(order, order) for order in permutations(some)}
    assert ends == {merge(some)}


@given(st.lists(facts, max_size=6), st.lists(facts, max_size=6), st.lists(facts, max_size=6))
def test_consents_merged_in_parts_end_as_when_merged_at_once(one: list[Consent], two: list[Consent], three: list[Consent]) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three)) == merge([*one, *two, *three])


@given(st.lists(facts, max_size=8))
def test_for_each_subject_the_latest_holds_and_at_a_tie_the_refusal(some: list[Consent]) -> None:
    for held in merge(some):
        same = [f for f in some if subject_of(f) == subject_of(held)]
        last = max(f.at for f in same)
        assert held.at == last
        assert held.state == ("refused" if any(f.state == "refused" for f in same if f.at == last) else "granted")


@given(st.lists(facts, max_size=8))
def test_nothing_is_both_allowed_and_refused(some: list[Consent]) -> None:
    use = {"customer_id": PERSON, "address_ref": PHONE, "channel": "sms", "purpose": "survey"}
    assert not (allows(some, **use) and refuses(some, **use))  # type: ignore[arg-type]


def test_nothing_on_record_is_neither_a_grant_nor_a_refusal() -> None:
    assert asked_by_sms() is None
    assert asked_by_sms(fact("granted", MONDAY, of=SOMEBODY_ELSE), fact("refused", MONDAY, of=OTHER_PHONE)) is None


def test_the_latest_word_of_a_person_counts() -> None:
    assert asked_by_sms(fact("granted", MONDAY), fact("refused", MONDAY + HOUR)) == "refused"
    assert asked_by_sms(fact("refused", MONDAY), fact("granted", MONDAY + HOUR)) == "granted"


def test_a_refusal_wins_a_tie() -> None:
    assert asked_by_sms(fact("granted", MONDAY), fact("refused", MONDAY)) == "refused"


def test_times_that_are_the_same_when_written_are_a_tie() -> None:
    assert asked_by_sms(fact("refused", MONDAY), fact("granted", MONDAY + timedelta(microseconds=400))) == "refused"


@pytest.mark.parametrize(("channel", "purpose"), [("any", "any"), ("any", "survey"), ("sms", "any"), ("sms", "survey")])
def test_any_covers_every_channel_and_every_purpose(channel: str, purpose: str) -> None:
    assert asked_by_sms(fact("refused", MONDAY, channel=channel, purpose=purpose)) == "refused"
    assert asked_by_sms(fact("granted", MONDAY, channel=channel, purpose=purpose)) == "granted"


@pytest.mark.parametrize(("channel", "purpose"), [("voice", "any"), ("any", "callback"), ("voice", "callback")])
def test_what_is_about_another_channel_or_purpose_says_nothing(channel: str, purpose: str) -> None:
    assert asked_by_sms(fact("refused", MONDAY, channel=channel, purpose=purpose)) is None


def test_a_stop_from_a_phone_binds_everyone_on_it() -> None:
    stop = fact("refused", MONDAY, purpose="any", of=PHONE, source="sms_stop")
    for person in (PERSON, SOMEBODY_ELSE, None):
        assert refuses([stop], customer_id=person, address_ref=PHONE, channel="sms", purpose="survey")


def test_a_broad_refusal_outweighs_a_later_narrow_grant_of_somebody_else() -> None:
    assert asked_by_sms(fact("refused", MONDAY, channel="any", of=PHONE), fact("granted", MONDAY + HOUR)) == "refused"


def test_a_consent_of_nobody_in_particular_never_matches_a_missing_address() -> None:
    assert standing([fact("refused", MONDAY)], customer_id=None, address_ref=None, channel="sms", purpose="survey") is None
