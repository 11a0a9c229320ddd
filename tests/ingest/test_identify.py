"""Who the handles of one event name, as a rule over values."""

from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.people.book import Book
from ingest.people.identify import admitted, identify
from ingest.people.model import Handle, Holder, Nobody, Person, Strength

MEMBER, OTHER_MEMBER = Handle(Strength.member, "", "m1"), Handle(Strength.member, "", "m2")
PLATFORM, ELSEWHERE = Handle(Strength.contact, "connect:1", "x"), Handle(Strength.contact, "connect:2", "x")
EMAIL, PHONE, OTHER_PHONE = Handle(Strength.email, "", "e"), Handle(Strength.phone, "", "p"), Handle(Strength.phone, "", "p2")


def person(n: int, *own: Handle, known: bool = False) -> Holder:
    return Holder(UUID(int=n), n, known=known, own=frozenset(own))


ANA, BO = person(1, MEMBER, known=True), person(2, OTHER_MEMBER, known=True)
CALLER, WRITER, GUEST = person(3), person(4), person(5, PLATFORM)


@pytest.mark.parametrize(
    ("present", "holders", "named"),
    [
        ([MEMBER, PHONE], {MEMBER: [ANA], PHONE: [BO]}, ANA),
        ([PLATFORM, EMAIL], {PLATFORM: [GUEST], EMAIL: [BO]}, GUEST),
        ([EMAIL, PHONE], {EMAIL: [WRITER], PHONE: [CALLER]}, WRITER),
        ([PHONE], {PHONE: [CALLER]}, CALLER),
        ([EMAIL, PHONE], {PHONE: [CALLER]}, CALLER),
        ([PLATFORM, PHONE], {PHONE: [ANA]}, ANA),
    ],
)
def test_the_strongest_handle_that_points_at_somebody_decides(
    present: list[Handle], holders: dict[Handle, list[Holder]], named: Holder
) -> None:
    answer = identify(present, holders)

    assert isinstance(answer, Person)
    assert answer.customer == named.customer


def test_no_handle_is_nobody() -> None:
    assert identify([], {}) == Nobody("none")


@pytest.mark.parametrize("handle", [EMAIL, PHONE])
def test_a_households_address_alone_is_never_guessed_at(handle: Handle) -> None:
    assert identify([handle], {handle: [ANA, BO]}) == Nobody("ambiguous")


def test_a_new_member_on_a_households_number_is_a_new_person_who_holds_it_too() -> None:
    answer = identify([OTHER_MEMBER, PHONE], {PHONE: [ANA]})

    assert answer == Person(None, (OTHER_MEMBER, PHONE), ())


def test_another_contact_id_of_the_same_account_is_another_person_and_of_another_account_is_not() -> None:
    second = Handle(Strength.contact, "connect:1", "y")

    assert identify([second, PHONE], {PHONE: [GUEST]}) == Person(None, (second, PHONE), ())
    assert identify([ELSEWHERE, PHONE], {PHONE: [GUEST]}) == Person(GUEST.customer, (ELSEWHERE,), ())


def test_an_import_takes_over_the_placeholder_of_its_address() -> None:
    assert identify([MEMBER, PHONE], {PHONE: [CALLER]}, directory=True) == Person(CALLER.customer, (MEMBER,), ())


def test_an_import_unites_the_placeholders_of_its_addresses_under_the_strongest() -> None:
    answer = identify([MEMBER, EMAIL, PHONE], {EMAIL: [WRITER], PHONE: [CALLER]}, directory=True)

    assert answer == Person(WRITER.customer, (MEMBER, PHONE), (CALLER.customer,))


def test_a_placeholder_is_left_alone_where_somebody_else_holds_the_address_too() -> None:
    answer = identify([OTHER_MEMBER, PHONE], {PHONE: [ANA, CALLER]}, directory=True)

    assert answer == Person(None, (OTHER_MEMBER, PHONE), ())


def test_an_address_never_merges_two_known_people() -> None:
    answer = identify([MEMBER, PHONE], {MEMBER: [ANA], PHONE: [BO]}, directory=True)

    assert answer == Person(ANA.customer, (PHONE,), ())


def test_one_event_with_both_merges_a_platforms_guest_into_the_known_member() -> None:
    assert identify([MEMBER, PLATFORM], {MEMBER: [ANA], PLATFORM: [GUEST]}).absorb == (GUEST.customer,)  # type: ignore[union-attr]


def test_a_guest_who_is_a_member_of_their_own_stays() -> None:
    other = person(6, PLATFORM, OTHER_MEMBER)

    assert identify([MEMBER, PLATFORM], {MEMBER: [ANA], PLATFORM: [other]}) == Person(ANA.customer, (), ())


@pytest.mark.parametrize(
    ("present", "erased", "left"),
    [
        ([MEMBER, PHONE], [], [MEMBER, PHONE]),
        ([MEMBER, PHONE], [MEMBER], Nobody("erased")),
        ([PHONE], [PHONE], Nobody("erased")),
        ([EMAIL, PHONE], [EMAIL], Nobody("erased")),
        ([OTHER_MEMBER, PHONE], [PHONE], [OTHER_MEMBER]),
        ([EMAIL, PHONE], [PHONE], [EMAIL]),
        ([], [PHONE], []),
    ],
)
def test_the_strongest_handle_says_whether_it_is_somebody_who_was_erased(
    present: list[Handle], erased: list[Handle], left: list[Handle] | Nobody
) -> None:
    assert admitted(present, erased) == left


def test_the_directory_may_give_an_erased_persons_number_to_somebody_else() -> None:
    assert admitted([OTHER_MEMBER, PHONE], [PHONE], directory=True) == [OTHER_MEMBER, PHONE]
    assert admitted([MEMBER, PHONE], [MEMBER, PHONE], directory=True) == Nobody("erased")


handles = st.builds(
    lambda member, contact, addresses: {*member, *contact, *addresses},
    st.sets(st.sampled_from([MEMBER, OTHER_MEMBER]), max_size=1),
    st.sets(st.sampled_from([PLATFORM, ELSEWHERE]), max_size=1),
    st.sets(st.sampled_from([EMAIL, PHONE, OTHER_PHONE]), max_size=3),
)
events = st.lists(st.tuples(handles, st.booleans()), max_size=12)


def _book() -> Book:
    numbers = count(1)
    return Book({}, {}, lambda: UUID(int=next(numbers)))


@given(events)
def test_what_names_one_person_never_has_two_holders(said: list[tuple[set[Handle], bool]]) -> None:
    book = _book()
    for handles, directory in said:
        book.who(handles, directory=directory and MEMBER in handles)

    for handle, holders in book.holding.items():
        assert handle.shared_by_a_household or len(holders) == 1
        assert not holders & book.merged.keys()


@given(events)
def test_known_people_are_never_merged_and_nobody_has_two_member_ids(said: list[tuple[set[Handle], bool]]) -> None:
    book = _book()
    for handles, directory in said:
        known = {customer for customer, holder in book.customers.items() if holder.known}
        merged = set(book.merged)
        book.who(handles, directory=directory and bool({MEMBER, OTHER_MEMBER} & handles))
        assert not (book.merged.keys() - merged) & known

    for customer, holder in book.customers.items():
        assert customer in book.merged or len([own for own in holder.own if own.kind is Strength.member]) <= 1


@given(events)
def test_only_a_households_address_can_be_ambiguous(said: list[tuple[set[Handle], bool]]) -> None:
    book = _book()
    for handles, _ in said:
        answer = book.who(handles)
        if isinstance(answer, Nobody) and answer.reason == "ambiguous":
            assert all(handle.shared_by_a_household for handle in handles)
        elif not isinstance(answer, Nobody):
            assert all(book.now(answer) in book.holding[handle] for handle in handles if handle.shared_by_a_household)


@given(events)
def test_the_same_event_again_names_the_same_person_and_changes_nothing(said: list[tuple[set[Handle], bool]]) -> None:
    book = _book()
    for handles, directory in said:
        first = book.who(handles, directory=directory and MEMBER in handles)
        holding = {handle: set(holders) for handle, holders in book.holding.items()}
        again = book.who(handles, directory=directory and MEMBER in handles)
        if isinstance(first, UUID):
            assert again == book.now(first)
            assert {handle: set(holders) for handle, holders in book.holding.items()} == holding
