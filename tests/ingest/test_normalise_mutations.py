"""Nothing a payload can turn into makes reading or folding fail. The short run: ten thousand of each are in `make faults`."""

import random

import pytest

from ingest.normalise.model import Reading
from tests.support.mutations import Failed, meanings, mutated, names

ROUNDS = range(60)


@pytest.mark.parametrize("name", names())
def test_no_mutation_of_a_payload_makes_reading_or_folding_fail(name: str) -> None:
    assert meanings(name, ROUNDS)


def test_a_mutation_that_fails_is_named_and_can_be_made_again() -> None:
    seen = list[bytes]()

    def fails_at_the_eighth(original: bytes, dice: random.Random) -> list[Reading]:
        seen.append(mutated(original, dice))
        if len(seen) >= 8:
            raise IndexError
        return []

    with pytest.raises(Failed, match=r"^native/\S+, mutation 7: IndexError in test_normalise_mutations.py:\d+: "):
        meanings("native/array-of-three", ROUNDS, fails_at_the_eighth)
    with pytest.raises(Failed, match="mutation 7: "):
        meanings("native/array-of-three", [7], fails_at_the_eighth)
    assert seen[7] == seen[8] != seen[6]


def test_of_two_rows_that_were_given_one_id_the_first_is_folded_as_the_inbox_keeps_it() -> None:
    assert meanings("asterisk/cdr-call-park", [7186])["ended"] == 3
