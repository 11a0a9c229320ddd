"""The score and its intervals: published figures, the traps, and what must hold for any counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared import nps
from shared.nps import Counts

VECTORS: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "nps-vectors.json").read_text("utf-8"))
ONE = VECTORS["one_sample"]
INTERVALS = {"wald": nps.wald, "adjusted_wald": nps.adjusted_wald, "score": nps.score_interval}
TO_HALF_A_HUNDREDTH = 0.0051

counts = st.builds(Counts, *[st.integers(0, 5_000)] * 3).filter(sum)
confidences = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize("vector", ONE, ids=lambda vector: str(vector["counts"]))
def test_score_and_error_are_the_published_ones(vector: dict[str, Any]) -> None:
    assert nps.score(*vector["counts"]) == pytest.approx(vector["nps"], abs=TO_HALF_A_HUNDREDTH)
    assert nps.variance(*vector["counts"]) == pytest.approx(vector["v"], abs=0.00006)
    assert nps.standard_error(*vector["counts"]) == pytest.approx(vector["se"], abs=0.0006)


@pytest.mark.parametrize(
    ("method", "vector"),
    [(method, vector) for vector in ONE for method in INTERVALS if method in vector],
    ids=lambda value: value if isinstance(value, str) else str(value["counts"]),
)
def test_an_interval_is_the_published_one(method: str, vector: dict[str, Any]) -> None:
    assert INTERVALS[method](*vector["counts"]) == pytest.approx(vector[method], abs=TO_HALF_A_HUNDREDTH)


@pytest.mark.parametrize("vector", VECTORS["two_sample"], ids=lambda vector: f"{vector['a']} {vector['b']}")
def test_a_difference_is_the_published_one(vector: dict[str, Any]) -> None:
    found = nps.difference(Counts(*vector["a"]), Counts(*vector["b"]))
    for kind, change in (("raw", found.raw), ("adjusted", found.adjusted)):
        published = vector.get(kind, {"p": vector.get(f"{kind}_p")})
        assert change.p == pytest.approx(published["p"], abs=0.00006)
        if "z" in published:
            assert change.points == pytest.approx(100 * published["difference"], abs=0.0006)
            assert change.se == pytest.approx(100 * published["se"], abs=0.0006)
            assert change.z == pytest.approx(published["z"], abs=0.00006)


@pytest.mark.parametrize("vector", VECTORS["wilson"], ids=lambda vector: f"{vector['successes']} of {vector['n']}")
def test_a_rate_has_wilsons_interval(vector: dict[str, float]) -> None:
    assert nps.wilson(vector["successes"], vector["n"]) == pytest.approx((vector["low"], vector["high"]), abs=0.00006)


@pytest.mark.parametrize(
    ("scores", "points"), [([0, 7, 7, 9, 9, 9], 33.33), ([7], 0), (list(range(1, 11)), -40), ([7, 8] * 50, 0), ([0] * 50 + [10] * 50, 0)]
)
def test_answers_are_counted_by_band(scores: list[int], points: float) -> None:
    bands = [nps.band(score) for score in scores]
    assert nps.score(bands.count("detractor"), bands.count("passive"), bands.count("promoter")) == pytest.approx(
        points, abs=TO_HALF_A_HUNDREDTH
    )


def test_the_score_is_rounded_by_nobody_on_the_way() -> None:
    assert nps.score(1, 0, 2) == pytest.approx(100 / 3)


def test_skipped_surveys_are_in_no_denominator() -> None:
    assert nps.score(20, 30, 50) == 30


def test_agreement_and_quarrel_have_one_score_and_different_variances() -> None:
    assert (nps.variance(0, 100, 0), nps.variance(50, 0, 50)) == (0, 1)


def test_bands_are_0_to_6_and_7_to_8_and_9_to_10() -> None:
    assert [nps.band(score) for score in range(11)] == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2


@pytest.mark.parametrize("answer", [6.5, 8.5, 7.0, True, "9", None, -1, 11])
def test_what_is_no_whole_score_is_refused_and_not_echoed(answer: Any) -> None:
    with pytest.raises(nps.NotAScore, match="whole number from 0 to 10"):
        nps.band(answer)


@pytest.mark.parametrize("none", [(0, 0, 0), (-1, 3, 3)])
def test_no_answers_have_no_score(none: tuple[int, int, int]) -> None:
    for question in (nps.score, nps.variance, nps.adjusted_wald, nps.score_interval, nps.interval):
        with pytest.raises(nps.NoAnswers):
            question(*none)


@given(counts, confidences)
def test_an_interval_lies_on_the_scale_and_holds_the_raw_score(counts: Counts, confidence: float) -> None:
    low, high = nps.interval(*counts, confidence=confidence)
    assert -100 <= low <= nps.score(*counts) + 1e-9
    assert nps.score(*counts) - 1e-9 <= high <= 100
    assert low < high


@given(counts)
def test_swapping_detractors_and_promoters_mirrors_everything(counts: Counts) -> None:
    mirrored = Counts(counts.promoters, counts.passives, counts.detractors)
    assert nps.score(*mirrored) == -nps.score(*counts)
    for method in (nps.wald, nps.adjusted_wald, nps.score_interval, nps.interval):
        low, high = method(*counts)
        assert method(*mirrored) == pytest.approx((-high, -low))


@given(counts)
def test_more_confidence_is_never_narrower(counts: Counts) -> None:
    narrow, wide = nps.interval(*counts, confidence=0.8), nps.interval(*counts, confidence=0.99)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(counts)
def test_the_ends_of_the_score_interval_are_what_the_test_just_keeps(counts: Counts) -> None:
    n, mean = sum(counts), nps.score(*counts) / 100
    for end in nps.score_interval(*counts):
        x = end / 100
        error = n * nps.variance_at(x, counts.detractors, promoters=counts.promoters, n=n)
        assert abs(n * mean - n * x) == pytest.approx(nps.deviate(0.95) * error**0.5, abs=1e-3)


@given(counts)
def test_few_answers_and_one_band_take_the_score_interval_and_the_rest_adjusted_wald(counts: Counts) -> None:
    unanimous = max(counts) == sum(counts)
    method = nps.score_interval if sum(counts) < 15 or unanimous else nps.adjusted_wald
    assert nps.interval(*counts) == method(*counts)


@given(counts, counts)
def test_a_difference_read_from_the_other_side_changes_only_its_sign(a: Counts, b: Counts) -> None:
    there, back = nps.difference(a, b), nps.difference(b, a)
    assert there.adjusted.points == pytest.approx(-back.adjusted.points)
    assert there.adjusted.p == pytest.approx(back.adjusted.p)
    assert 0 <= there.raw.p <= 1


def test_two_samples_of_one_mind_each_differ_surely_or_not_at_all() -> None:
    assert nps.difference(Counts(0, 0, 9), Counts(0, 9, 0)).raw.p == 0
    assert nps.difference(Counts(0, 0, 9), Counts(0, 0, 4)).raw.p == 1


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_a_rates_interval_holds_the_rate_and_lies_between_0_and_1(successes: int, n: int) -> None:
    assume(successes <= n)
    low, high = nps.wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (2, 1), (-1, 3)])
def test_a_rate_of_nothing_is_refused(successes: int, n: int) -> None:
    with pytest.raises(nps.NoAnswers):
        nps.wilson(successes, n)
