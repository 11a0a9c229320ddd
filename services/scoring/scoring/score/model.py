"""What is counted, and where."""

from dataclasses import dataclass
from datetime import date

SCORING_VERSION = 1
"""Of the rule in `shared.nps.band`; written on every score. A change of the rule is a new version, never a correction of old scores."""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer is counted. `day` is its day in the company's zone, `channel` the contact's; what nobody knows is `unknown`."""

    day: date
    kind: str
    channel: str = UNKNOWN
    segment: str = UNKNOWN
    moment: str = UNKNOWN
    team: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Counted:
    """One counted answer."""

    place: Place
    band: str


@dataclass(frozen=True, slots=True, order=True)
class Tally:
    """Answers of one cell."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def n(self) -> int:
        return self.promoters + self.passives + self.detractors

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors)

    def __neg__(self) -> "Tally":
        return Tally(-self.promoters, -self.passives, -self.detractors)

    def __bool__(self) -> bool:
        return bool(self.promoters or self.passives or self.detractors)

    @staticmethod
    def of(band: str) -> "Tally":
        return Tally(promoters=int(band == "promoter"), passives=int(band == "passive"), detractors=int(band == "detractor"))
