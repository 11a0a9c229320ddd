"""The partials every page shares: what they write, and that a hostile string stays a string."""

import pytest
from jinja2 import Environment

from shared.runtime.web import templates

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


@pytest.fixture
def environment() -> Environment:
    return templates()


def written(environment: Environment, partial: str, call: str, **values: object) -> str:
    name = partial.strip("_")
    return environment.from_string(f'{{% from "{partial}.html" import {name} %}}{{{{ {call} }}}}').render(values)


def test_a_bar_shows_the_links_it_was_given_and_marks_the_current_one(environment: Environment) -> None:
    bar = written(
        environment,
        "_bar",
        'bar("/", links, current="/numbers", live="on", me=("/me", "Ana"))',
        links=[("/console", "Queue"), ("/numbers", "Numbers")],
    )

    assert '<a href="/console">Queue</a>' in bar
    assert '<a href="/numbers" aria-current="page">Numbers</a>' in bar
    assert '<p class="live" role="status">Live</p>' in bar
    assert 'href="/me">Ana' in bar


def test_a_page_that_is_not_live_says_since_when(environment: Environment) -> None:
    assert '<p class="live live--off" role="status">Not live since 16:10</p>' in written(
        environment, "_bar", 'bar("/", [], live="Not live since 16:10")'
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("estimate(38.4, 31, 45, 467)", '<strong>38</strong> <span class="interval">31 to 45</span> <small>n 467</small>'),
        ("estimate(-27.6, -60, 12.4, 4864)", '<strong>−28</strong> <span class="interval">−60 to 12</span> <small>n 4,864</small>'),
        ("estimate(28, 26, 30, 4864, size='large')", "n 4,864 answers. 95% interval."),
        ("estimate(38, 31, 45, 467, size='tile')", "31 to 45, n 467"),
        ("estimate(10, 3, 17, 507, word='clearly below', tone='below')", '<span class="word is-below">clearly below</span>'),
    ],
)
def test_an_estimate_is_value_interval_and_n(environment: Environment, call: str, text: str) -> None:
    assert text in written(environment, "_estimate", call)


def test_a_whisker_lies_on_the_one_axis_and_a_value_off_it_is_an_open_marker_at_the_edge(environment: Environment) -> None:
    inside, outside = (
        written(environment, "_whisker", "whisker(30, 24, 35)"),
        written(environment, "_whisker", "whisker(-70, -80, 20, raw=100)"),
    )

    assert '<line class="span" x1="49.3%" x2="56.7%"' in inside
    assert '<circle class="dot" cx="53.3%"' in inside
    assert '<circle class="raw" cx="0.0%"' in outside
    assert '<circle class="raw" cx="100.0%"' in outside
    assert "style=" not in inside + outside


def test_ticks_and_shares_are_written_for_people(environment: Environment) -> None:
    assert ">−50</text>" in written(environment, "_ticks", "ticks()")
    assert written(environment, "_share", "share(0.62, 0.5, 0.734)").strip() == "62% (50 to 73)"


@pytest.mark.parametrize(
    ("partial", "call"),
    [
        ("_bar", "bar(hostile, [(hostile, hostile)], live=hostile, me=(hostile, hostile))"),
        ("_estimate", "estimate(1, 0, 2, 30, word=hostile, tone=hostile)"),
        ("_whisker", "whisker(1, 0, 2, tone=hostile)"),
    ],
)
def test_a_hostile_string_stays_a_string(environment: Environment, partial: str, call: str) -> None:
    assert "<script>" not in written(environment, partial, call, hostile=HOSTILE)


def test_a_whole_page_keeps_a_hostile_title_harmless(environment: Environment) -> None:
    head = '{% from "_shell.html" import shell %}{% call shell(hostile, sheet=asset("style.css"), scripts=[hostile]) %}'
    source = head + "<p>{{ hostile }}</p>{% endcall %}"
    page = environment.from_string(source).render(hostile=HOSTILE)

    assert "<script>alert" not in page
    assert '<main id="main" class="page">' in page
    assert page.index("Skip to content") < page.index("<main")
