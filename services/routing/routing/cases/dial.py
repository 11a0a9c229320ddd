"""Which number of a customer to call. Numbers are address refs here; the digits stay sealed."""

from collections.abc import Iterable

from shared.schemas import Customer


def voice_refs(customer: Customer | None, *, dropped: Iterable[str] = (), preferred: str | None = None) -> tuple[str, ...]:
    """Numbers that can take a call and were not found wrong, the one the contact used first."""
    if customer is None:
        return ()
    gone = set(dropped)
    refs = [point.ref for point in customer.points if "voice" in point.can and not point.dead and point.ref not in gone]
    return tuple(sorted(refs, key=lambda ref: ref != preferred))
