"""What stores a batch of records, and what it says of it: the consumer's one demand on a service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.runtime.broker import Partition, Progress, Record


@dataclass(frozen=True, slots=True)
class Applied:
    """`owned`: the partitions that were still ours; `dead`: places of records that became dead letters and count for the cap."""

    owned: frozenset[Partition]
    dead: frozenset[tuple[str, int, int]] = frozenset()
    parked: int = 0


class Apply(Protocol):
    async def __call__(self, records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:
        """Store records and offsets in one transaction.

        Without `progress` nothing is fenced (a replay); `again`: what the inbox knows is taken again.
        Anything but the world's fault that rises makes the caller go record by record.
        """
