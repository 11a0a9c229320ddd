"""Priority, critical words, due times, windows, owner teams, hold-out: the rules of a case, without a database."""

import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.cases.due import due_at
from routing.cases.heard import Heard, opens
from routing.cases.join import opened
from routing.cases.model import Case, Level, Route
from routing.cases.owner import Wanted, owner_team
from routing.cases.policy import CasePolicy
from routing.cases.priority import Facts, weigh
from routing.cases.route import draw
from routing.cases.windows import callable_windows
from routing.cases.words import of_lists
from routing.rota.model import Rota, on_shift
from shared.schemas import Customer, Window
from tests.support.cases import NOW, POLICY, ROTA, a_contact, a_customer, a_point, an_answer, refusal, terms

LISTS = json.loads(files("routing").joinpath("cases/words.json").read_text("utf-8"))
WORDS = of_lists({language: LISTS[language] for language in ("en", "es")}, version=LISTS["version"])


def heard(score: int = 2, *, customer: Customer | None = None, words: tuple[str, ...] = (), **given: object) -> Heard:
    return Heard(
        an_answer(score, customer=customer, **given),  # type: ignore[arg-type]
        words=words,
        customer_id=customer.customer_id if customer else None,
        customer=customer,
    )


@given(
    st.builds(
        Facts,
        score=st.integers(0, 10),
        resolved=st.sampled_from(["yes", "no", "unanswered"]),
        callback=st.sampled_from(["yes", "no", "unanswered"]),
        contacts_7d=st.integers(0, 9),
        transfers=st.integers(0, 5),
        words=st.sampled_from([(), ("harm",)]),
    ),
    st.integers(0, 100),
)
def test_points_add_up_to_the_priority_whatever_they_are(facts: Facts, unresolved: int) -> None:
    policy = POLICY.model_copy(update={"points": POLICY.points.model_copy(update={"unresolved": unresolved})})

    weighed = weigh(facts, policy)

    assert weighed.priority == sum(reason.points for reason in weighed.reasons) <= 100
    assert (weighed.level is Level.CRITICAL) == bool(facts.words)
    assert weighed.level is Level.CRITICAL or (weighed.level is Level.HIGH) == (weighed.priority >= 70)


def test_a_priority_explains_itself() -> None:
    weighed = weigh(Facts(2, "no", "yes", contacts_7d=2, transfers=2, words=()), POLICY)

    assert [(reason.code, reason.points) for reason in weighed.reasons] == [
        ("score_0_2", 40),
        ("unresolved", 25),
        ("wished_call", 15),
        ("repeat_contact", 12),
        ("transfers", 5),
    ]
    assert (weighed.priority, weighed.level) == (97, Level.HIGH)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("I want to die", ("harm",)),
        ("You'll hear from MY LAWYER!!!", ("legal",)),
        ("I can’t breathe and nobody called", ("access",)),
        ("Voy a demandar. Mi abogado ya lo sabe.", ("legal",)),
        ("QUIERO PRESENTAR UNA QUEJA FORMAL, estoy sin insulina", ("access", "grievance")),
        ("Un médico me hizo esperar; reclamacion formal", ("grievance",)),
        ("Your lawyers' hold music is nice", ()),
        ("The dietitian wants to diet", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_critical_words_are_found_in_either_language_and_only_whole(comment: str | None, found: tuple[str, ...]) -> None:
    assert WORDS.found(comment) == found


GOLDEN = [
    ("2026-03-03T15:00Z", "normal", "birch", "2026-03-04T15:00Z", "eight hours of a working day end at the same time a day later"),
    ("2026-03-03T15:00Z", "high", "birch", "2026-03-03T19:00Z", "four hours inside the day"),
    ("2026-03-03T21:30Z", "critical", "birch", "2026-03-04T14:30Z", "half an hour before closing leaves half an hour for the morning"),
    ("2026-03-04T21:00Z", "high", "birch", "2026-03-06T17:00Z", "Thursday the fifth is a holiday"),
    ("2026-03-06T20:00Z", "high", "birch", "2026-03-09T15:00Z", "over the weekend and the change to summer time"),
    ("2026-10-30T19:00Z", "high", "birch", "2026-11-02T16:00Z", "over the weekend and the change from summer time"),
    ("2026-03-07T03:00Z", "critical", "birch", "2026-03-09T14:00Z", "a Friday night waits for Monday"),
    ("2026-03-03T04:45Z", "critical", "cedar", "2026-03-03T05:45Z", "a zone at half past the hour: 10:15 there"),
    ("2026-03-03T12:00Z", "critical", "cedar", "2026-03-04T05:00Z", "17:30 there, closing at 18:00"),
    ("2026-03-03T15:00Z", "high", "willow", "2026-03-03T19:00Z", "a team the rota does not have keeps the company's hours"),
]


@pytest.mark.parametrize(("answered", "level", "team", "due", "why"), GOLDEN, ids=[each[-1] for each in GOLDEN])
def test_due_times_equal_the_golden_table(answered: str, level: str, team: str, due: str, why: str) -> None:
    assert due_at(_time(answered), Level(level), team=team, terms=terms()) == _time(due), why


def test_calls_are_made_when_every_zone_is_awake_and_the_customer_wished() -> None:
    wish = [Window(from_=NOW, to=NOW + timedelta(hours=6))]

    found = callable_windows(NOW, NOW + timedelta(days=1), zones=("America/New_York", "America/Los_Angeles"), policy=POLICY, wish=wish)

    assert [(each.from_, each.to) for each in found] == [(_time("2026-03-03T16:00Z"), NOW + timedelta(hours=6))]


def test_a_wish_that_is_over_no_longer_binds() -> None:
    wish = [Window(from_=NOW - timedelta(hours=6), to=NOW - timedelta(hours=1))]

    found = callable_windows(NOW, NOW + timedelta(hours=4), zones=("America/New_York",), policy=POLICY, wish=wish)

    assert [(each.from_, each.to) for each in found] == [(NOW, NOW + timedelta(hours=4))]


@pytest.mark.parametrize(
    ("contact_team", "wanted", "team"),
    [
        ("birch", Wanted(None, "es", None), "birch"),
        ("willow", Wanted(None, "es-MX", None), "cedar"),
        ("willow", Wanted(None, "en", None), "birch"),
        (None, Wanted("claims", "fr", None), "birch"),
    ],
)
def test_a_case_belongs_to_the_contacts_team_or_to_one_that_fits(contact_team: str | None, wanted: Wanted, team: str) -> None:
    assert owner_team(contact_team, wanted, rota=ROTA, fallback="service") == team


def test_without_a_rota_the_contacts_own_team_stays_and_else_the_fallback() -> None:
    wanted = Wanted(None, "en", None)

    assert owner_team("willow", wanted, rota=Rota(), fallback="service") == "willow"
    assert owner_team(None, wanted, rota=Rota(), fallback="service") == "service"


def test_on_shift_are_those_whose_hours_it_is() -> None:
    birch = ROTA.teams[0]

    assert [person.name for person in on_shift(birch, NOW)] == ["Ana"]
    assert [person.name for person in on_shift(birch, NOW - timedelta(days=1))] == ["Ana", "Maria"]
    assert on_shift(birch, _time("2026-03-05T15:00Z")) == ()


def test_nobody_is_held_out_who_asked_is_unsolved_or_critical() -> None:
    held = terms(hold_out_rate=0.5)
    owed: list[Case] = []
    for _ in range(40):
        someone = a_customer()
        owed += [
            opened(heard(2, customer=someone, callback="yes"), held, 1).case,
            opened(heard(2, customer=someone, resolved="no"), held, 1).case,
            opened(heard(2, customer=someone, words=("harm",)), held, 1).case,
        ]

    assert {(case.route, case.arm, case.arm_rate) for case in owed} == {(Route.CALL, "call", 1.0)}


def test_a_held_out_case_is_drawn_by_its_id_and_no_clock_runs() -> None:
    cases = [opened(heard(2, customer=a_customer()), terms(hold_out_rate=0.5), 1).case for _ in range(200)]
    held = [case for case in cases if case.route is Route.HOLD_OUT]

    assert 60 < len(held) < 140
    assert all(draw(case.id) < 0.5 for case in held)
    assert {(case.arm, case.overdue_on, case.windows) for case in held} == {("hold_out", None, ())}
    assert all(draw(case.id) >= 0.5 for case in cases if case.route is Route.CALL)


def test_a_yes_after_a_refusal_takes_it_back_and_one_before_does_not() -> None:
    someone = a_customer()
    before, after = (refusal(someone.customer_id, at=NOW + timedelta(days=days)) for days in (-1, 1))

    assert _routed(someone, before).consent_basis == "answered_yes"
    assert _routed(someone, after).consent_basis == "refused"


def test_a_number_whose_holder_refused_is_not_called_another_one_is() -> None:
    stop = refusal(address_ref="shared", at=NOW)
    one = a_customer(points=(a_point("shared"),), consents=(stop,))
    two = a_customer(points=(a_point("shared"), a_point("own")), consents=(stop,))

    assert opened(heard(2, customer=one), terms(), 1).case.route is Route.REVIEW
    assert opened(heard(2, customer=two), terms(), 1).case.route is Route.CALL


@pytest.mark.parametrize(
    ("changed", "basis"),
    [
        ({"points": ()}, "no_number"),
        ({"points": (a_point("dead", dead=True),)}, "no_number"),
        ({"points": (a_point("text only", can=("sms",)),)}, "no_number"),
        ({"flags": ("vip", "deceased")}, "flag_deceased"),
    ],
)
def test_whom_nobody_can_or_should_ring_is_reviewed(changed: dict[str, object], basis: str) -> None:
    case = opened(heard(2, customer=a_customer(**changed)), terms(), 1).case

    assert (case.route, case.consent_basis) == (Route.REVIEW, basis)


def test_which_answers_open_a_case_is_policy() -> None:
    openers = POLICY.openers.model_copy(update={"unresolved": True, "moments": ("claim",), "segments": ("vip",)})
    wide = terms(openers=openers)

    assert not opens(heard(8, resolved="no"), terms())
    assert opens(heard(8, resolved="no"), wide)
    assert opens(heard(10, contact=a_contact(moment="claim")), wide)
    assert opens(heard(10, customer=a_customer(segment="vip")), wide)
    assert not opens(heard(0, counted=False, uncounted="excluded"), wide)


def test_a_case_is_named_after_its_survey() -> None:
    survey = uuid4()

    assert opened(heard(1, survey_id=survey), terms(), 1).case.id == opened(heard(3, survey_id=survey), terms(), 2).case.id


def test_a_policy_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="penalty"):
        CasePolicy.model_validate(POLICY.model_dump(by_alias=True) | {"penalty": 3})


def _routed(someone: Customer, stop: object) -> Case:
    asked = someone.model_copy(update={"consents": (stop,)})
    return opened(heard(2, customer=asked, callback="yes"), terms(), 1).case


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
