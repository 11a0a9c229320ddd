"""The partitions a reader holds, and where they stand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from shared.runtime.broker import Partition, Progress, Record


@dataclass(slots=True)
class Held:
    """Partitions not yet taken over, those this reader may store, what the database has of them, what the broker was told.

    `turn` grows with every word of the group.
    """

    arriving: set[Partition] = field(default_factory=set)
    mine: set[Partition] = field(default_factory=set)
    stored: dict[Partition, int] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)
    moved: dict[Partition, float] = field(default_factory=dict)
    turn: int = 0

    def lose(self, partitions: Collection[Partition]) -> None:
        for place in partitions:
            self.arriving.discard(place)
            self.mine.discard(place)
            self.stored.pop(place, None)
            self.committed.pop(place, None)

    def store(self, nexts: Mapping[Partition, int], owned: Iterable[Partition], *, now: float) -> None:
        """The database has what comes before these offsets."""
        for place in owned:
            self.stored[place] = nexts[place]
            self.moved[place] = now

    def waited(self, *, since: float, now: float) -> None:
        """While a batch is stored, however long the database is away, or while the broker is, partitions do not stand still: they wait."""
        for place, moved in self.moved.items():
            self.moved[place] = min(now, moved + now - since)

    def of(self, topics: Collection[str]) -> list[Partition]:
        return [place for place in self.mine if place[0] in topics]


def among(records: Sequence[Record], places: AbstractSet[Partition]) -> Sequence[Record]:
    """Those of these partitions."""
    found = {record.place for record in records}
    return records if found <= places else [record for record in records if record.place in places]


def progress_of(records: Sequence[Record], owner: UUID) -> Progress:
    """Where each partition stands once these are stored; records are in offset order per partition."""
    last = {record.place: record for record in records}
    return Progress(owner, {place: r.offset + 1 for place, r in last.items()}, {place: r.logged for place, r in last.items()})
