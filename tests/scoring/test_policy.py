"""Policies as data."""

from typing import Any

import pytest

from scoring.decide.first import first_document
from scoring.decide.policy import RECOVERY_RULES, RULES, parse
from scoring.errors import PolicyInvalid


def document(**changes: Any) -> dict[str, Any]:
    return first_document("tnps", changes)


def test_a_new_deployment_starts_with_the_numbers_it_was_promised() -> None:
    terms = parse(document())

    assert terms.rules == RULES
    assert (terms.length_s, terms.age.decide_s, terms.age.send_s) == (45, 86_400, 172_800)
    assert (terms.quarantine.any_days, terms.caps.month, terms.sampling.rate) == (30, 2, 0.6)
    assert (terms.open_s, terms.after_s) == (7 * 86_400, 14 * 86_400)
    assert parse(first_document("recovery", {})).rules == RECOVERY_RULES


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"length_s": -1}, "length_s"),
    ({"sampling": {"rate": 1.5}}, "sampling.rate"),
    ({"sampling": {"cells": {"phone:family": 2}}}, "sampling.cells.phone:family"),
    ({"quarantine": {"any_days": "a while"}}, "quarantine.any_days"),
    ({"hours": {"someday": "08:00-20:00"}}, "hours"),
    ({"blackouts": [{"code": "x", "start": "2026-03-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}]}, "blackouts.0"),
    ({"blackouts": [{"code": "x", "start": "2026-03-01T00:00:00", "end": "2026-04-01T00:00:00Z"}]}, "blackouts.0.start"),
    ({"rules": ["sampling", "customer", "reachable", "consent", "opt_out"]}, "document"),
    ({"rules": ["customer", "reachable", "consent"]}, "document"),
    ({"rules": ["customer", "reachable", "consent", "opt_out", "mood"]}, "document"),
    ({"texts": {"sms": {"en": {"body": "Hello {name}, {link}"}}}}, "texts.sms.en.body"),
    ({"texts": {"sms": {"en": {"body": "Hello {brand.__class__} {link}"}}}}, "texts.sms.en.body"),
    ({"texts": {"sms": {"en": {"body": "No address"}}}}, "texts.sms.en.body"),
    ({"ways": {"phone": ["pigeon"]}}, "document"),
    ({"quarrantine": {}}, "quarrantine"),
]


@pytest.mark.parametrize(("changes", "path"), WRONG)
def test_a_fault_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        parse(document(**changes))

    assert path in [fault.path for fault in refused.value.faults]


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(PolicyInvalid) as refused:
        parse(document(length_s=-1, sampling={"rate": 2}))

    assert [fault.path for fault in refused.value.faults] == ["length_s", "sampling.rate"]
