"""What becomes of an answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.listen.accept import Asked, accept
from scoring.listen.model import Accepted, Became, Said, Standing
from shared.schemas import Window

SENT = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
ASKED = Asked(SENT, SENT + timedelta(days=7), timedelta(minutes=15))
WISH = (Window(from_=SENT + timedelta(hours=16), to=SENT + timedelta(hours=19)),)


def after(**passed: float) -> datetime:
    return SENT + timedelta(**passed)


def page(score: int | None = None, at: datetime = SENT, *, saw: int = 0, comment: str | None = None) -> Said:
    return Said("page", at, score, comment, saw=saw)


def sms(score: int | None = None, at: datetime = SENT, *, comment: str | None = None) -> Said:
    return Said("sms", at, score, comment)


def standing(*answers: Said) -> Standing:
    now: Standing | None = None
    for said in answers:
        now = accept(ASKED, now, said).standing
    assert now is not None
    return now


def outcome(accepted: Accepted) -> tuple[Became, int | None, bool | None]:
    """What it became, the score that stands, and whether that is counted."""
    answer = accepted.standing.answer if accepted.standing else None
    return accepted.became, answer.score if answer else None, answer.counted if answer else None


def test_the_first_score_closes_the_survey_and_is_published_as_revision_one() -> None:
    accepted = accept(ASKED, None, page(3, after(minutes=12)))

    assert outcome(accepted) == (Became.FIRST, 3, True)
    assert accepted.published is not None
    assert accepted.published.revision == 1
    assert accepted.published.amendable_until == after(minutes=27)
    assert accepted.published.answered_by == "page"


def test_an_answer_without_a_score_is_partial_and_its_words_go_with_the_score_that_follows() -> None:
    words = sms(comment="no one helped")
    partial = accept(ASKED, None, words)

    assert partial == Accepted(Became.PARTIAL, None)
    assert accept(ASKED, None, sms(2), earlier=[words]).published == replace(
        accept(ASKED, None, sms(2)).standing.answer,  # type: ignore[union-attr]
        comment="no one helped",
    )


def test_the_same_page_may_complete_and_change_the_answer_for_a_quarter_of_an_hour() -> None:
    first = standing(page(3))
    completed = accept(ASKED, first, replace(page(at=after(minutes=1), saw=1, comment="waited"), resolved="no", callback="yes", wish=WISH))
    changed = accept(ASKED, completed.standing, page(9, after(minutes=15), saw=2))

    assert completed.published is not None
    assert (completed.published.score, completed.published.comment, completed.published.resolved) == (3, "waited", "no")
    assert outcome(changed) == (Became.AMENDED, 9, True)
    assert changed.published is not None
    assert (changed.published.revision, changed.published.comment, changed.published.wish) == (3, "waited", WISH)


def test_a_first_answer_form_on_an_answered_survey_changes_nothing() -> None:
    stored = standing(page(3))

    assert accept(ASKED, stored, page(10, after(minutes=1))) == Accepted(Became.STALE, stored)


def test_a_form_made_from_an_older_revision_changes_nothing() -> None:
    stored = standing(page(3), page(4, after(minutes=1), saw=1))

    assert accept(ASKED, stored, page(10, after(minutes=2), saw=1)).became is Became.STALE


def test_a_second_channel_is_kept_not_counted_and_told_to_the_team() -> None:
    stored = standing(page(9))
    accepted = accept(ASKED, stored, sms(2, after(minutes=5)))

    assert outcome(accepted) == (Became.OTHER_CHANNEL, 9, True)
    assert accepted.published is not None
    assert (accepted.published.score, accepted.published.uncounted, accepted.published.revision) == (2, "other_channel", 2)
    assert not accepted.moves


def test_the_page_may_still_change_what_an_uncounted_answer_was_published_after() -> None:
    beside = accept(ASKED, standing(page(9)), sms(2, after(minutes=5)))
    changed = accept(ASKED, beside.standing, page(8, after(minutes=6), saw=1))

    assert changed.published is not None
    assert (changed.published.score, changed.published.revision, changed.published.counted) == (8, 3, True)


def test_messages_of_one_channel_count_in_the_order_they_were_written() -> None:
    stored = standing(sms(4, after(minutes=5)))

    assert accept(ASKED, stored, sms(9, after(minutes=2))) == Accepted(Became.SUPERSEDED, stored)
    assert outcome(accept(ASKED, stored, sms(9, after(minutes=5)))) == (Became.AMENDED, 9, True), (
        "written at the same time, the later to arrive wins"
    )


def test_after_a_quarter_of_an_hour_the_score_stays_and_another_one_is_kept_as_late() -> None:
    accepted = accept(ASKED, standing(page(9)), page(2, after(minutes=16), saw=1))

    assert outcome(accepted) == (Became.LATE, 9, True)
    assert accepted.published is not None
    assert (accepted.published.score, accepted.published.uncounted) == (2, "late")


def test_words_reach_the_team_also_when_the_score_no_longer_changes() -> None:
    stored = standing(page(3, comment="waited"))
    accepted = accept(ASKED, stored, page(at=after(days=1), saw=1, comment="still broken"))

    assert outcome(accepted) == (Became.WORDS, 3, True)
    assert accepted.published is not None
    assert accepted.published.comment == "waited\n\nstill broken"
    assert accept(ASKED, accepted.standing, page(at=after(days=1), saw=1, comment="still broken")).published is None, "sent twice"


def test_words_by_another_channel_are_added() -> None:
    accepted = accept(ASKED, standing(page(3)), sms(at=after(minutes=3), comment="no one helped"))

    assert outcome(accepted) == (Became.WORDS, 3, True)
    assert accepted.published is not None
    assert accepted.published.comment == "no one helped"


def test_an_answer_after_seven_days_is_kept_and_published_but_not_counted() -> None:
    accepted = accept(ASKED, None, page(0, after(days=20)))

    assert outcome(accepted) == (Became.LATE, 0, False)
    assert accepted.published is not None
    assert (accepted.published.uncounted, accepted.published.revision) == ("late", 1)


def test_an_answer_written_in_time_counts_however_late_it_arrives() -> None:
    said = sms(2, ASKED.moment(after(days=6), now=after(days=9)))

    assert outcome(accept(ASKED, None, said)) == (Became.FIRST, 2, True)


def test_a_writers_clock_can_neither_precede_the_question_nor_lie_in_the_future() -> None:
    assert ASKED.moment(datetime(1970, 1, 1, tzinfo=UTC), after(hours=1)) == SENT
    assert ASKED.moment(after(days=90), after(hours=1)) == after(hours=1)
    assert ASKED.moment(None, after(hours=1)) == after(hours=1)


def test_emptied_words_are_cleared_while_the_answer_is_open() -> None:
    accepted = accept(ASKED, standing(page(3, comment="rude agent")), page(at=after(minutes=2), saw=1, comment=""))

    assert accepted.published is not None
    assert accepted.published.comment is None


def test_without_a_call_there_is_no_wish_for_a_time() -> None:
    first = standing(replace(page(3), callback="yes", wish=WISH))
    accepted = accept(ASKED, first, replace(page(at=after(minutes=2), saw=1), callback="no"))

    assert accepted.published is not None
    assert (accepted.published.callback, accepted.published.wish) == ("no", ())


SAID = st.builds(
    Said,
    channel=st.sampled_from(["page", "sms", "ivr"]),
    answered_at=st.integers(0, 12_000).map(lambda minutes: after(minutes=minutes)),
    score=st.none() | st.integers(0, 10),
    comment=st.none() | st.sampled_from(["", "waited", "thanks"]),
    resolved=st.sampled_from([None, "yes", "no"]),
    saw=st.integers(0, 4),
)


@given(st.lists(SAID, max_size=8))
def test_whatever_comes_the_first_score_closes_revisions_grow_and_the_counted_score_changes_only_in_its_time(answers: list[Said]) -> None:
    stands: Standing | None = None
    published = 0
    for said in answers:
        before, accepted = stands, accept(ASKED, stands, said)
        stands = accepted.standing
        assert (stands is None) == (before is None and said.score is None)
        if accepted.published:
            assert accepted.published.revision == published + 1
            published += 1
        if before and stands and stands.answer.score != before.answer.score:
            assert accepted.became is Became.AMENDED
            assert said.answered_at <= before.answer.amendable_until
        if before and stands:
            assert stands.answer.counted == before.answer.counted
