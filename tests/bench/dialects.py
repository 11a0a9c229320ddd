"""What it costs to read an event of each platform, against our own shape."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median

from ingest.normalise import read
from ingest.normalise.explain import captured
from ingest.normalise.model import Event, Raw
from tests.bench.goals import Figure, Goal
from tests.bench.load import INGEST
from tests.bench.plan import Plan
from tests.bench.servers import Servers
from tests.support.readings import payloads

GOAL = Goal(2, at_most=True)
NATIVE = "native"
ROUNDS = 3
AT_ONCE_S = 0.002


def all_of_them(_: Servers, __: Plan, said: Callable[[str], None]) -> list[Figure]:
    """Per platform with captured payloads: the microseconds of an event of the middle one, over those of a native one as it is drained."""
    own = min(_microseconds([Raw(each.value, {}) for each in islice(INGEST.records(400), 20)]) for _ in range(10))
    said(f"dialects: a native event of {len(next(INGEST.records(4)).value or b'')} bytes takes {own:.1f} us")
    return [_figure(platform, samples, own) for platform, samples in sorted(_by_platform().items())]


def _figure(platform: str, samples: Sequence[Sequence[Raw]], own: float) -> Figure:
    costs = sorted(_microseconds(raws) for raws in samples)
    middle = median(costs)
    facts = {"us": round(middle, 1), "native_us": round(own, 1), "payloads": len(costs), "dearest_us": round(costs[-1], 1)}
    return Figure(f"reading {platform}", middle / own, "x native", GOAL, "", facts)


def _by_platform() -> dict[str, list[list[Raw]]]:
    """The captured payloads that carry events; a file of several transport records is read as they come."""
    found: dict[str, list[list[Raw]]] = defaultdict(list)
    for path in payloads():
        raws = list(captured(path.read_bytes()))
        if any(isinstance(reading, Event) for raw in raws for reading in read(raw)):
            found[path.parent.name].append(raws)
    return found


def _microseconds(raws: Sequence[Raw]) -> float:
    """Processor time per event, of which a payload may carry several; of a few tries the least, because a busy machine only adds."""
    return min(_once(raws) for _ in range(ROUNDS))


def _once(raws: Sequence[Raw]) -> float:
    times, began = 0, time.process_time()
    while (spent := time.process_time() - began) < AT_ONCE_S:
        times += sum(len(read(raw)) for raw in raws)
    return spent / times * 1e6
