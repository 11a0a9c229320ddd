"""Which receiver gets a message: the first one; after so many failed tries the others as well, in turn."""

from collections.abc import Sequence


def in_turn(receivers: Sequence[str], *, failed: int, patience: int) -> Sequence[str]:
    """The first is asked at every try, so that its schedule goes on and it is used again as soon as it answers."""
    return receivers if failed >= patience else receivers[:1]


def fallback_s(waits: Sequence[float], *, patience: int, timeout: float) -> float | None:
    """How long a message waits at most until another receiver has had its try, seconds; None where the schedule ends before."""
    if len(waits) < patience:
        return None
    return sum(waits[:patience]) + (patience + 2) * timeout
