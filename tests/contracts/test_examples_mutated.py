"""A message that was damaged anywhere is read or refused; it never ends in another error."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import shared
from shared.schemas import PUBLISHED

EXAMPLES = sorted((Path(shared.__file__).parent / "examples").glob("*/*.json"))
MUTATIONS = 10_000
ODD: list[Any] = [None, True, False, 0, -1, 7.0, 2**31, 2**63, 2**64, 10**40, 1e308, "", " ", "\0", "x" * 30_000, "é\u200f😡"]
ODD += ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-11-24T10:00:60Z"]
ODD += ["00000000-0000-0000-0000-000000000000", [], [[]], [None], {}, {"": {}}]
BYTES = [b'"\\ud800"', b"NaN", b"Infinity", b"-0", b"1e999", b"\xff", b"\xef\xbb\xbf{}", b"[" * 10_000, b'{"a":1,"a":2}', b"null"]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def mutated(example: Any, chance: random.Random) -> bytes:
    value = copy.deepcopy(example)
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(places(value) or [([None], 0)])
        match chance.randrange(4):
            case 0:
                container[key] = copy.deepcopy(chance.choice(ODD))
            case 1:
                container[key] = copy.deepcopy(chance.choice([inner[at] for inner, at in places(example)]))
            case 2 if isinstance(container, dict):
                del container[key]
            case _:
                container[key] = [container[key], container[key]]
    text = json.dumps(value).encode()
    if chance.random() < 0.3:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(BYTES) + text[at + chance.randrange(3) :]
    return text


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_damaged_message_is_read_or_refused(path: Path) -> None:
    model, example, chance = PUBLISHED[path.parent.name], json.loads(path.read_text("utf-8")), random.Random(path.stem)
    for _ in range(MUTATIONS):
        text = mutated(example, chance)
        try:
            read = model.model_validate_json(text)
        except ValidationError:
            continue
        assert model.model_validate_json(read.encode()).encode() == read.encode(), text
