"""What the environment may ask of a named place."""

import pytest

from shared.runtime.failpoints import parse


def test_a_place_kills_or_blocks_at_the_nth_passing_or_at_every_nth() -> None:
    rules = parse("a.b=kill@3, c=kill@every:2,d=block:20@1")

    assert [rules["a.b"].fires(n) for n in (2, 3, 6)] == [False, True, False]
    assert [rules["c"].fires(n) for n in (1, 2, 4)] == [False, True, True]
    assert [rules[name].seconds for name in ("a.b", "c", "d")] == [None, None, 20]
    assert parse("") == {}


@pytest.mark.parametrize("text", ["a=kill", "=kill@1", "a=kill@0", "a=stop@1", "a=block@1", "a=block:@1", "a=kill@every:"])
def test_what_is_no_rule_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        parse(text)
