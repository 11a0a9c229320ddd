"""Verdicts and facts as a decision's row keeps them: briefly, because every contact has such a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.decide.model import Finding
from shared.schemas import Detail, Verdict

SAW = ("channel", "medium", "outcome", "segment", "team", "language", "legs", "transfers", "zones")
"""The facts a decision keeps, in this order; a new one comes last."""

_LETTERS: Mapping[Verdict, str] = {"pass": "p", "fail": "f", "unknown": "u"}
_VERDICTS: Mapping[str, Verdict] = {letter: verdict for verdict, letter in _LETTERS.items()}


def brief(verdicts: Sequence[Finding]) -> tuple[str, list[Detail]]:
    """A letter for each verdict, and the details."""
    return "".join([_LETTERS[verdict] for verdict, _ in verdicts]), [detail for _, detail in verdicts]


def in_full(kept: Sequence[Any]) -> list[Finding]:
    """As they were said. Older rows keep each verdict with its detail."""
    if not kept or not isinstance(kept[0], str):
        return [(verdict, detail) for verdict, detail in kept]
    letters, details = kept
    return [(_VERDICTS[letter], detail) for letter, detail in zip(letters, details, strict=True)]


def named(kept: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """The facts by name. Older rows keep them so, and an erased one has none."""
    return dict(kept) if isinstance(kept, Mapping) else dict(zip(SAW, kept, strict=False))
