"""The arithmetic of the Net Promoter Score.

Counts are always detractors, passives, promoters, in this order: the order of the scale. Scores and the ends of intervals are NPS points
(-100 to 100), never rounded here. `variance` and `standard_error` are of one response counted as -1, 0 or 1.
"""

from math import erfc, inf, sqrt
from statistics import NormalDist
from typing import Literal, NamedTuple

SCORES = range(11)
FEW = 15
"""Below this many answers the normal approximation is not trusted."""

Band = Literal["detractor", "passive", "promoter"]


class Counts(NamedTuple):
    """How many answers fell into each band; `score(*counts)`."""

    detractors: int
    passives: int
    promoters: int


class Interval(NamedTuple):
    """From `low` to `high`, both included."""

    low: float
    high: float


class Change(NamedTuple):
    """A difference in points, its standard error in points, the normal deviate and the two-sided p."""

    points: float
    se: float
    z: float
    p: float


class Difference(NamedTuple):
    """The same comparison of two samples with the counts as they are, and adjusted as for `adjusted_wald`, which is the one to judge by."""

    raw: Change
    adjusted: Change


class NotAScore(ValueError):
    """The answer is not one of 0, 1, ... 10."""

    def __init__(self, answer: object) -> None:
        super().__init__(f"A score is a whole number from 0 to 10 and this {type(answer).__name__} is none; refuse it, do not round it.")


class NoAnswers(ValueError):
    """Nothing was counted, so there is no score."""

    def __init__(self, counts: tuple[float, ...]) -> None:
        super().__init__(f"A score needs counts that are not negative and at least one answer, not {counts}.")


def band(score: int) -> Band:
    """0 to 6 detractor, 7 and 8 passive, 9 and 10 promoter (Reichheld 2003). Booleans and fractions are refused, not rounded."""
    if type(score) is not int or score not in SCORES:
        raise NotAScore(score)
    if score <= 6:
        return "detractor"
    return "passive" if score <= 8 else "promoter"


def score(detractors: float, passives: float, promoters: float) -> float:
    """Share of promoters less share of detractors, in points."""
    return 100 * (promoters - detractors) / answers(detractors, passives, promoters)


def answers(detractors: float, passives: float, promoters: float) -> float:
    """How many there are; NoAnswers where a score would be meaningless."""
    n = detractors + passives + promoters
    if n <= 0 or min(detractors, passives, promoters) < 0:
        raise NoAnswers((detractors, passives, promoters))
    return n


def variance(detractors: float, passives: float, promoters: float) -> float:
    """Of one response: p + d - (p - d)^2, with the shares of promoters and detractors (Rocks 2016, Communications in Statistics 45)."""
    n = answers(detractors, passives, promoters)
    return (promoters + detractors) / n - ((promoters - detractors) / n) ** 2


def standard_error(detractors: float, passives: float, promoters: float) -> float:
    """Of the mean response."""
    return sqrt(variance(detractors, passives, promoters) / answers(detractors, passives, promoters))


def wald(detractors: float, passives: float, promoters: float, *, confidence: float = 0.95) -> Interval:
    """The plain normal interval; not clipped, and of no width where everybody agrees. For comparison only."""
    reach = 100 * deviate(confidence) * standard_error(detractors, passives, promoters)
    middle = score(detractors, passives, promoters)
    return Interval(middle - reach, middle + reach)


def adjusted(detractors: float, passives: float, promoters: float) -> tuple[float, float, float]:
    """Three answers more, spread like a triangle: 3/4, 3/2, 3/4 (Rocks 2016)."""
    answers(detractors, passives, promoters)
    return detractors + 0.75, passives + 1.5, promoters + 0.75


def adjusted_wald(detractors: float, passives: float, promoters: float, *, confidence: float = 0.95) -> Interval:
    """Wald's interval of the adjusted counts, clipped to the scale (Rocks 2016). Its middle is not the score: report the raw one."""
    low, high = wald(*adjusted(detractors, passives, promoters), confidence=confidence)
    return Interval(max(low, -100.0), min(high, 100.0))


def score_interval(detractors: float, passives: float, promoters: float, *, confidence: float = 0.95) -> Interval:
    """All values that a score test would not reject (Tango 1998, Statistics in Medicine 17, for paired differences; Rocks 2016)."""
    answers(detractors, passives, promoters)
    low = lowest_kept(detractors, passives, promoters, z=deviate(confidence))
    high = -lowest_kept(promoters, passives, detractors, z=deviate(confidence))
    return Interval(100 * low, 100 * high)


def lowest_kept(detractors: float, passives: float, promoters: float, *, z: float) -> float:
    """The smallest mean in -1..1 at which the observed one lies no more than `z` standard errors above; found by halving."""
    n = detractors + passives + promoters
    low, high = -1.0, (promoters - detractors) / n
    if low == high:
        return low
    for _ in range(60):
        x = (low + high) / 2
        above = promoters - detractors - n * x
        if above > z * sqrt(n * variance_at(x, detractors, promoters=promoters, n=n)):
            low = x
        else:
            high = x
    return high


def variance_at(x: float, detractors: float, *, promoters: float, n: float) -> float:
    """Of one response, were its mean x, with the likeliest share q of detractors under that mean."""
    a = 2 * n
    b = (2 * n - promoters + detractors) * x - detractors - promoters
    c = -detractors * x * (1 - x)
    q = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    return max(2 * q + x * (1 - x), 0.0)


def interval(detractors: float, passives: float, promoters: float, *, confidence: float = 0.95) -> Interval:
    """The interval to show: the score interval for few answers or one band only, else adjusted Wald. It always holds the raw score."""
    counts = (detractors, passives, promoters)
    few_or_unanimous = answers(*counts) < FEW or max(counts) == answers(*counts)
    return score_interval(*counts, confidence=confidence) if few_or_unanimous else adjusted_wald(*counts, confidence=confidence)


def difference(a: Counts, b: Counts) -> Difference:
    """How far `a` lies above `b`, two independent samples: z = (a - b) / sqrt(se_a^2 + se_b^2)."""
    return Difference(raw=change(a, b), adjusted=change(adjusted(*a), adjusted(*b)))


def change(a: tuple[float, float, float], b: tuple[float, float, float]) -> Change:
    """One comparison. Two samples that each agree fully have no error: then any difference is certain, and none is none."""
    points = score(*a) - score(*b)
    se = 100 * sqrt(standard_error(*a) ** 2 + standard_error(*b) ** 2)
    z = points / se if se else (inf if points > 0 else -inf if points < 0 else 0.0)
    return Change(points, se, z, erfc(abs(z) / sqrt(2)))


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Of a rate, in 0..1 (Wilson 1927, Journal of the American Statistical Association 22)."""
    if not 0 <= successes <= n or n == 0:
        raise NoAnswers((successes, n))
    z = deviate(confidence)
    rate, weight = successes / n, z * z / n
    middle = (rate + weight / 2) / (1 + weight)
    reach = z * sqrt(rate * (1 - rate) / n + weight / (4 * n)) / (1 + weight)
    return Interval(max(middle - reach, 0.0), min(middle + reach, 1.0))


def deviate(confidence: float) -> float:
    """The normal deviate that leaves out half of what is not confident on either side; 1.96 at 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
