"""How a consumer reads: how much at once, how often it looks around, when something is wrong."""

from dataclasses import dataclass, field

from shared.runtime.cap import Limits


@dataclass(frozen=True, slots=True)
class Reading:
    """Durations in seconds. `watermark`: also keep how far idle partitions are read (ingest's closing compares with it)."""

    batch: int = 500
    poll: float = 0.1
    commit_every: float = 0.2
    look_every: float = 1.0
    stuck_after: float = 120.0
    drain: float = 20.0
    watermark: bool = False
    limits: Limits = field(default_factory=Limits)
