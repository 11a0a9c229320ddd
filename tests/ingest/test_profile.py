"""What is known of a person is the same in whatever order it was said."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.people.model import Address, Said, Stamp
from ingest.people.profile import CONTACT, DIRECTORY, from_contact, from_directory, from_json, given_name, known, merge, to_json
from ingest.people.zones import Places, candidate_zones, postal_zones
from shared.schemas import ProfileGiven

BORN = datetime(2026, 11, 1, 10, tzinfo=UTC)
PHONE = Address("phone", "+12125550142", "ref-1", ("voice", "sms"))
PLACES = Places(("America/New_York", "America/Chicago"), postal_zones("US"), lambda number: ["America/Los_Angeles"] if number else [])

stamps = st.builds(
    Stamp, st.sampled_from([CONTACT, DIRECTORY]), st.integers(0, 3).map(lambda n: BORN + timedelta(days=n)), st.sampled_from("ab")
)
fields = st.sampled_from(["name", "language", "flags", "seen:r1", "addresses:email"])
profiles = st.dictionaries(fields, st.builds(Said, stamps, st.sampled_from(["", "Ana", "Bo"])), max_size=4)


@given(st.lists(profiles, max_size=5), st.randoms())
def test_merging_is_the_same_in_any_order_and_twice(accounts: list[dict[str, Said]], random: object) -> None:
    shuffled = [*accounts, *accounts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert merge(*shuffled) == merge(*accounts)


@given(profiles, profiles, profiles)
def test_merging_in_two_steps_is_merging_at_once(one: dict[str, Said], two: dict[str, Said], three: dict[str, Said]) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three)) == merge(one, two, three)


@given(profiles)
def test_a_profile_survives_being_written(profile: dict[str, Said]) -> None:
    assert from_json(to_json(profile)) == profile


def _given(**said: object) -> ProfileGiven:
    return ProfileGiven.model_validate({"profile_id": "1", "member_id": "M-1", "at": BORN, **said})


def test_a_missing_field_says_nothing_and_an_empty_one_clears() -> None:
    first = from_directory(_given(name="Ana", language="es", flags=["vip"]), [PHONE])
    second = from_directory(_given(at=BORN + timedelta(days=1), language="", flags=[], addresses=[]), [])

    person = known(merge(first, second))

    assert (person.name, person.language, person.flags, person.addresses) == ("Ana", None, (), ())


def test_the_directory_outranks_what_a_later_contact_brought() -> None:
    directory = from_directory(_given(name="Ana Lopez"), [])
    contact = from_contact({"name": "ANNA", "language": "es"}, [PHONE], at=BORN + timedelta(days=9), by="i-1")

    person = known(merge(directory, contact))

    assert (person.name, person.language, [each.value for each in person.addresses]) == ("Ana Lopez", "es", [PHONE.value])


def test_an_address_said_twice_is_one() -> None:
    said = _given(addresses=[{"kind": "phone", "value": PHONE.value}])

    assert known(merge(from_directory(said, [PHONE]), from_contact({}, [PHONE], at=BORN, by="i-1"))).addresses == (PHONE,)


MAIL = Address("email", "ana@example.com", "ref-2", ("email",))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_list_of_one_kind_holds_beside_older_lists_of_all_and_not_after_a_newer_one(order: tuple[int, ...]) -> None:
    both, mail = (
        [{"kind": "phone", "value": PHONE.value}, {"kind": "email", "value": "old@example.com"}],
        [{"kind": "email", "value": MAIL.value}],
    )
    all_of_them = from_directory(_given(addresses=both), [PHONE, MAIL._replace(value="old@example.com", ref="ref-0")])
    of_mail = from_directory(_given(at=BORN + timedelta(days=1), addresses=mail, address_kinds=["email"]), [MAIL])
    none_at_all = from_directory(_given(at=BORN + timedelta(days=2), addresses=[]), [])
    accounts = (all_of_them, of_mail, none_at_all)

    assert set(known(merge(*(accounts[n] for n in order if n < 2))).addresses) == {PHONE, MAIL}
    assert known(merge(*(accounts[n] for n in order))).addresses == ()


def test_the_given_name_is_the_first_word_or_what_follows_the_comma() -> None:
    assert [given_name(name) for name in ("Ana Lopez", "Lopez, Ana Maria", " ", None)] == ["Ana", "Ana", None, None]


def test_zones_come_from_profile_postal_code_and_numbers_together() -> None:
    person = known(from_directory(_given(zone="America/Denver", postal_code="10001-1234", addresses=[]), [PHONE]))

    assert candidate_zones(person, PLACES) == ("America/Denver", "America/Los_Angeles", "America/New_York")


def test_who_says_nothing_of_a_place_may_be_anywhere_in_the_country() -> None:
    assert candidate_zones(known({}), PLACES) == ("America/Chicago", "America/New_York")


def test_postal_codes_are_only_read_where_they_are_known() -> None:
    assert postal_zones("US")["967"] == ("Pacific/Honolulu",)
    assert postal_zones("US")["005"] == ("America/New_York",)
    assert postal_zones("DE") == {}
