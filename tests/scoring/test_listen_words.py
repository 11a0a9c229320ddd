"""Every language says the same things."""

import re
from dataclasses import asdict

import pytest

from scoring.listen.words.choice import LANGUAGES, accepted, choose, others
from scoring.listen.words.en import ENGLISH
from scoring.listen.words.model import Words


def placeholders(words: Words) -> dict[str, set[str]]:
    return {name: set(re.findall(r"{(\w*)}", str(said))) for name, said in asdict(words).items() if isinstance(said, str)}


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_a_language_fills_in_what_english_fills_in(words: Words) -> None:
    assert placeholders(words) == placeholders(ENGLISH)
    assert words.slots.keys() == words.in_the.keys() == ENGLISH.slots.keys()
    assert all(said.strip() for said in asdict(words).values() if isinstance(said, str))


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        (("es",), "es"),
        (("es-MX",), "es"),
        (("ES_mx",), "es"),
        ((None, "es", "en"), "es"),
        (("fr", "es"), "es"),
        (("fr",), "en"),
        ((None,), "en"),
        (("../../es",), "en"),
    ],
)
def test_the_first_language_that_has_words_is_spoken(wanted: tuple[str | None, ...], tag: str) -> None:
    assert choose(*wanted).tag == tag


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", ["es-MX", "es", "en"]),
        ("en;q=0.1, es", ["es", "en"]),
        ("es;q=0, en", ["en"]),
        ("es;q=oops, en", ["en"]),
        ("", []),
        (None, []),
    ],
)
def test_a_browsers_languages_are_read_best_first(header: str | None, tags: list[str]) -> None:
    assert accepted(header) == tags


def test_each_language_offers_the_others() -> None:
    assert [words.tag for words in others(ENGLISH)] == [tag for tag in LANGUAGES if tag != "en"]
