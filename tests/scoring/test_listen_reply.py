"""What an SMS reply means: the table the product promises, and what holds for any text."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoring.listen import vocabulary
from scoring.listen.reply import Wish, read

CLEAR = [
    ("9", 9, None),
    ("9 great", 9, "great"),
    ("nine", 9, None),
    ("Nine!", 9, None),
    ("10/10", 10, None),
    ("１０", 10, None),  # full width is the point
    ("I'd say 8", 8, None),
    ("I’d say 8", 8, None),  # as phones write it
    ("ocho", 8, None),
    ("0", 0, None),
    ("zero", 0, None),
    (" 7. ", 7, None),
    ("8...", 8, None),
    ("٩", 9, None),
    ("٧ ممتاز", 7, "ممتاز"),
    ("१०", 10, None),
    ("⑨", 9, None),
    ("9️⃣", 9, None),
    ("9 👍", 9, "👍"),
    ("9/10 great", 9, "great"),
    ("9 out of 10", 9, None),
    ("nine out of ten", 9, None),
    ("9 de 10", 9, None),
    ("3 waited too long", 3, "waited too long"),
    ("9 - great", 9, "great"),
    ("9. Great", 9, "Great"),
    ("Great service! 9", 9, "Great service!"),
    ("my score is 4 because nobody called back", 4, "because nobody called back"),
    ("le doy un 9", 9, None),
    ("Diría que un diez", 10, None),
    ("10 10 10", 10, None),
    ("9 and very friendly", 9, "and very friendly"),
    ("3 could not cancel my plan", 3, "could not cancel my plan"),
    ("8, the bus stop is far", 8, "the bus stop is far"),
    ("6 in the end it was fixed", 6, "in the end it was fixed"),
    ("9\nthank you", 9, "thank you"),
]

UNCLEAR = [
    "2 or 3",
    "7-8",
    "7–8",  # as phones write it
    "11",
    "-1",
    "−1",  # a real minus sign
    "minus one",
    "7.5",
    "7,5",
    "no one helped",
    "👍",
    "",
    "   ",
    "1e1",
    "9th",
    "90%",
    "9 %",
    "7+",
    "9½",
    "½",
    "5/5",
    "20/10",
    "10/10/2026",
    "9.5/10",
    "09",
    "seven or eight",
    "9 or so",
    "waited 3 hours",
    "2 hours on hold",
    "5 stars",
    "3 agents and no answer",
    "call me at 9",
    "one of your agents was rude",
    "One thing: nobody listens",
    "three times",
    "not a 10",
    "at least 8",
    "9 of 10 people",
    "eleven",
    "yes",
    "once",
]

STOPS = [
    ("STOP", None),
    ("Stop.", None),
    ("please stop", None),
    ("STOPALL", None),
    ("stop all", None),
    ("UNSUBSCRIBE", None),
    ("QUIT", None),
    ("END", None),
    ("CANCEL", None),
    ("REVOKE", None),
    ("OPT OUT", None),
    ("opt-out", None),
    ("ARRET", None),
    ("arrêt", None),
    ("ALTO", None),
    ("parar", None),
    ("no me escriban", None),
    ("No me manden más mensajes", None),
    ("9 but stop texting me", 9),
    ("9 STOP", 9),
    ("9\nstop", 9),
    ("Thanks for everything. STOP", None),
    ("2 or 3, and stop messaging me", None),
    ("don't text me again", None),
    ("leave me alone", None),
    ("wrong number", None),
    ("START or STOP", None),
]


@pytest.mark.parametrize(("text", "score", "comment"), CLEAR)
def test_a_plain_score_is_read_with_the_words_as_comment(text: str, score: int, comment: str | None) -> None:
    reading = read(text)

    assert (reading.score, reading.comment, reading.wish) == (score, comment, Wish.NONE)


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_not_plainly_one_score_is_unclear_and_keeps_its_words(text: str) -> None:
    reading = read(text)

    assert reading.unclear
    assert reading.comment == (text.strip() or None)


@pytest.mark.parametrize(("text", "score"), STOPS)
def test_opt_out_words_win_and_may_keep_a_score(text: str, score: int | None) -> None:
    assert (read(text).wish, read(text).score) == (Wish.STOP, score)


@pytest.mark.parametrize(
    ("text", "wish"), [("START", Wish.START), ("unstop", Wish.START), ("HELP", Wish.HELP), ("Info?", Wish.HELP), ("ayuda", Wish.HELP)]
)
def test_start_and_help_are_requests_not_answers(text: str, wish: Wish) -> None:
    assert (read(text).wish, read(text).score) == (wish, None)


@pytest.mark.parametrize(
    "text", ["the bus stop is far", "could not stop the fee", "it was good in the end", "I want to cancel my plan", "9 don't ask me why"]
)
def test_ordinary_words_are_no_opt_out(text: str) -> None:
    assert read(text).wish is Wish.NONE


@given(st.text(max_size=200))
@example("\x00\ud800 9")
def test_any_text_is_read_without_an_error_and_never_off_the_scale(text: str) -> None:
    reading = read(text)

    assert reading.score is None or 0 <= reading.score <= 10


@given(st.integers(0, 10), st.integers(0, 10), st.sampled_from([" ", " or ", "-", "/", ", ", " great ", "\n", " to ", " maybe "]))
def test_two_different_numbers_are_never_a_guess(one: int, other: int, between: str) -> None:
    if one == other or (other == 10 and between == "/"):
        return

    assert read(f"{one}{between}{other}").score is None


@given(st.integers(0, 999_999))
def test_a_bare_number_is_a_score_only_on_the_scale(number: int) -> None:
    assert read(str(number)).score == (number if number <= 10 else None)


WORDS = st.lists(st.sampled_from("the agent was kind and 9 0 ten great hola no plan bus 👍 ... ok".split()), max_size=6).map(" ".join)
PHRASES = st.sampled_from(
    ["stop texting me", "STOP sending these messages", "unsubscribe", "opt out", "no me escriban", "please stop", "don't text me"]
)


@given(WORDS, PHRASES, WORDS)
def test_an_opt_out_phrase_anywhere_wins(before: str, phrase: str, after: str) -> None:
    assert read(f"{before} {phrase} {after}").wish is Wish.STOP


ENDS = st.sampled_from(["", " ", ".", "!", "?", "..."])


@given(st.sampled_from(sorted(vocabulary.STOP_WORDS)), ENDS, st.sampled_from([str.upper, str.capitalize]))
def test_an_opt_out_word_alone_wins_however_it_is_written(word: str, end: str, written: Callable[[str], str]) -> None:
    assert read(written(word) + end).wish is Wish.STOP


@given(st.text(max_size=100), st.integers(0, 10))
def test_the_comment_is_made_of_the_customers_own_words(text: str, score: int) -> None:
    comment = read(f"{score} {text}").comment

    assert comment is None or all(word in f"{score} {text}" or not word.isascii() for word in comment.split())
