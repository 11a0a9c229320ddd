"""Who asks for surveys that are not there too often is told to wait; who asks for one that is there never is."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.listen.misses import Misses, Proxies
from scoring.settings import Settings
from shared.runtime.settings import SettingsRefused, load
from tests.support.listening import HEADERS, Listening, listening

PROXY = "127.0.0.1"
"""Where requests of these tests come from."""


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    """Three misses for each address behind our proxy, then one an hour."""
    async with listening(scoring_database, survey_misses=3, survey_miss_every_s=3600.0, trusted_proxies=[PROXY]) as made:
        yield made


async def ask(scoring: Listening, token: str, *, address: str = "203.0.113.9", method: str = "GET") -> httpx.Response:
    return await scoring.browser.request(method, f"/s/{token}", headers={**HEADERS, "x-forwarded-for": address})


async def exhausted(scoring: Listening, *, address: str = "203.0.113.9") -> None:
    for number in range(3):
        assert (await ask(scoring, f"guess-{number}", address=address)).status_code == 404


async def test_after_the_budget_an_unknown_token_is_429_with_the_time_to_wait(scoring: Listening) -> None:
    await exhausted(scoring)

    refused = await ask(scoring, "guess-4")

    assert refused.status_code == 429
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert "Please wait a moment" in refused.text
    assert refused.headers["retry-after"] in refused.text


@pytest.mark.parametrize("path", ["guess", "%22%3E%3Cscript%3E", "a" * 3000, "guess/more", "guess/thanks", "guess/stop"])
async def test_every_path_and_method_of_an_unknown_token_counts(scoring: Listening, path: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert (await ask(scoring, path, method=method)).status_code == 404

    assert (await ask(scoring, path)).status_code == 429
    if not path.endswith("thanks"):
        assert (await ask(scoring, path, method="POST")).status_code == 429


async def test_a_customer_behind_the_same_address_answers_as_if_nothing_were(scoring: Listening) -> None:
    token = await scoring.asked()
    await exhausted(scoring)
    assert (await ask(scoring, "guess-4")).status_code == 429

    shown = await ask(scoring, token)
    saved = await scoring.browser.post(f"/s/{token}", data={"score": 9}, headers={**HEADERS, "x-forwarded-for": "203.0.113.9"})

    assert (shown.status_code, saved.status_code) == (200, 303)
    assert await scoring.answers() == [("first", 9)]


async def test_looking_at_a_survey_that_is_there_costs_nothing_open_or_closed(scoring: Listening) -> None:
    token = await scoring.asked()
    for _ in range(5):
        assert (await ask(scoring, token)).status_code == 200
    await scoring.pass_time(days=8)
    for _ in range(5):
        assert (await ask(scoring, token)).status_code == 410

    await exhausted(scoring)


async def test_another_address_has_a_budget_of_its_own(scoring: Listening) -> None:
    await exhausted(scoring)

    await exhausted(scoring, address="203.0.113.10")


async def test_without_a_proxy_of_ours_nobody_is_believed_where_they_come_from(scoring_database: str) -> None:
    async with listening(scoring_database, survey_misses=3, survey_miss_every_s=3600.0) as made:
        for number in range(3):
            assert (await ask(made, "guess", address=f"203.0.113.{number}")).status_code == 404

        assert (await ask(made, "guess", address="203.0.113.77")).status_code == 429


async def test_what_was_told_is_counted_without_addresses(scoring: Listening) -> None:
    await exhausted(scoring)
    await ask(scoring, "guess-4")

    counted = {
        sample.labels["answer"]: sample.value
        for metric in scoring.service.deps.metrics.survey_misses.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert counted == {"not_found": 3, "too_many": 1}


# ---- the budget --------------------------------------------------------------------------------------------------------------------


def test_one_more_is_forgiven_with_time_and_the_budget_fills_up_again() -> None:
    misses = Misses(burst=3, every_s=10)
    assert [misses.miss("a", at=0) for _ in range(4)] == [0, 0, 0, 10]

    assert misses.miss("a", at=9) == 1
    assert [misses.miss("a", at=10) for _ in range(2)] == [0, 10]
    assert [misses.miss("a", at=1_000) for _ in range(4)] == [0, 0, 0, 10]


@given(st.lists(st.floats(0, 5), max_size=80), st.integers(1, 5))
def test_no_stretch_of_time_holds_more_than_the_budget_and_what_was_forgiven(pauses: list[float], burst: int) -> None:
    misses, at, let = Misses(burst=burst, every_s=2), 0.0, []
    for pause in pauses:
        at += pause
        if not misses.miss("a", at=at):
            let.append(at)

    assert all(until - since >= (count - burst - 1e-6) * 2 for i, since in enumerate(let) for count, until in enumerate(let[i:]))


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_whoever_waits_as_long_as_told_is_let_through(pauses: list[float]) -> None:
    misses, at = Misses(burst=2, every_s=3), 0.0
    for pause in pauses:
        at += pause
        if wait := misses.miss("a", at=at):
            at += wait + 1e-6
            assert not misses.miss("a", at=at)


def test_ever_new_addresses_do_not_fill_the_memory() -> None:
    misses = Misses(burst=1, every_s=10, addresses=100)

    for number in range(1_000):
        misses.miss(f"a-{number}", at=0)

    assert len(misses) == 100
    assert misses.miss("a-999", at=0) == 10
    assert misses.miss("a-1", at=0) == 0


# ---- who is asking -----------------------------------------------------------------------------------------------------------------

OURS = Proxies(["10.0.0.0/8", "2001:db8:1::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1, 10.0.0.7"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8:7::5]:443"], "2001:db8:7::/64"),
        ("2001:db8:1::9", ["2001:db8:7::ffff:5"], "2001:db8:7::/64"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["<script>, 198.51.100.1, garbage"], "10.0.0.1"),
        ("testclient", ["198.51.100.1"], "unknown"),
        (None, [], "unknown"),
    ],
)
def test_only_what_our_own_proxies_say_is_believed(peer: str | None, forwarded: list[str], caller: str) -> None:
    assert OURS.caller(peer, forwarded) == caller


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_written_there_somebody_is_asking(peer: str, forwarded: list[str]) -> None:
    assert OURS.caller(peer, forwarded)


def test_a_proxy_that_is_no_network_is_refused_by_name() -> None:
    with pytest.raises(SettingsRefused, match=r"SCORING_TRUSTED_PROXIES: number 2 is no network"):
        load(Settings, trusted_proxies=["10.0.0.0/8", "our proxy"])
