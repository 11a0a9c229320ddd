"""tNPS as it is read."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from scoring.score import store
from scoring.score.model import Counted, Place
from scoring.score.tally import changes, day_of
from shared import nps
from shared.runtime.access import Teams
from tests.support.listening import Listening, listening


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    async with listening(scoring_database) as made:
        yield made


async def count(scoring: Listening, bands: dict[str, int], days_ago: int = 0, **place: Any) -> None:
    """So many answers of each band at one place."""
    async with scoring.service.database.transaction() as unit:
        day = day_of(unit.now, scoring.service.settings.company_zone) - timedelta(days=days_ago)
        where = Place(**{"day": day, "kind": "tnps", **place})
        await store.count(unit.tx, changes([(None, Counted(where, band)) for band, n in bands.items() for _ in range(n)]))


async def read(scoring: Listening, query: str, *roles: str, teams: Teams | None = None) -> Any:
    cookie = scoring.cookie(*roles) if teams is None else scoring.cookie(*roles, teams=teams)
    return (await scoring.browser.get(f"/v1/tnps?{query}", headers=cookie)).json()


async def test_a_cell_has_its_counts_its_score_and_its_interval(scoring: Listening) -> None:
    await count(scoring, {"promoter": 50, "passive": 30, "detractor": 20}, channel="phone")
    await count(scoring, {"promoter": 1}, days_ago=29, channel="phone")
    await count(scoring, {"detractor": 40}, days_ago=30, channel="phone")
    await count(scoring, {"detractor": 40}, channel="phone", kind="recovery")

    body = await read(scoring, "by=channel&window=30d", "admin")

    low, high = nps.interval(20, 30, 51)
    assert body["cells"] == [
        {
            "channel": "phone",
            "n": 101,
            "promoters": 51,
            "passives": 30,
            "detractors": 20,
            "score": pytest.approx(nps.score(20, 30, 51)),
            "low": pytest.approx(low),
            "high": pytest.approx(high),
        }
    ]
    assert date.fromisoformat(body["last"]) - date.fromisoformat(body["first"]) == timedelta(days=29)


async def test_analysts_see_no_cell_of_ten_or_fewer_and_none_that_gives_it_away(scoring: Listening) -> None:
    await count(scoring, {"promoter": 300}, channel="phone")
    await count(scoring, {"passive": 40}, channel="web")
    await count(scoring, {"detractor": 10}, channel="chat")

    cells = {each["channel"]: each for each in (await read(scoring, "by=channel", "analyst"))["cells"]}

    assert cells["chat"] == {"channel": "chat", "hidden": "few"}
    assert cells["web"] == {"channel": "web", "hidden": "complement"}
    assert cells["phone"]["n"] == 300
    assert all("hidden" not in each for each in (await read(scoring, "by=channel", "admin"))["cells"])


async def test_a_supervisor_sees_the_own_teams_whole_and_no_others(scoring: Listening) -> None:
    await count(scoring, {"detractor": 2}, channel="phone", team="birch")
    await count(scoring, {"promoter": 90}, channel="phone", team="cedar")

    own = await read(scoring, "by=team", "supervisor", teams=Teams({"birch"}))
    by_channel = await read(scoring, "by=channel", "supervisor", teams=Teams({"birch"}))
    both = await read(scoring, "by=team", "supervisor", "analyst", teams=Teams({"birch"}))

    assert [(each["team"], each["n"]) for each in own["cells"]] == [("birch", 2)]
    assert [(each["channel"], each["n"]) for each in by_channel["cells"]] == [("phone", 2)]
    assert [(each["team"], each["n"]) for each in both["cells"]] == [("birch", 2), ("cedar", 90)]


@pytest.mark.parametrize(
    ("query", "roles", "path"),
    [
        ("by=agent", ("admin",), "by"),
        ("by=", ("admin",), "by"),
        ("by=channel,segment,moment", ("admin",), "by"),
        ("by=segment,team", ("admin",), "by"),
        ("window=0d", ("admin",), "window"),
        ("window=9999d", ("admin",), "window"),
        ("window=month", ("admin",), "window"),
        ("kind=other", ("admin",), "kind"),
        ("by=segment", ("supervisor",), "by"),
    ],
)
async def test_a_reading_that_cannot_be_given_says_which_parameter_and_what_to_do(
    scoring: Listening, query: str, roles: tuple[str, ...], path: str
) -> None:
    answer = await scoring.browser.get(f"/v1/tnps?{query}", headers=scoring.cookie(*roles, teams=Teams({"birch"})))

    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["errors"]] == [path]


@pytest.mark.parametrize(
    ("roles", "status"), [((), 401), (("guide",), 403), (("analyst",), 200), (("supervisor",), 200), (("admin",), 200)]
)
async def test_numbers_are_for_analysts_supervisors_and_admins(scoring: Listening, roles: tuple[str, ...], status: int) -> None:
    answer = await scoring.browser.get("/v1/tnps", headers=scoring.cookie(*roles) if roles else {})

    assert answer.status_code == status


async def test_answers_through_the_page_are_read_by_channel_segment_moment_and_team(scoring: Listening) -> None:
    token = await scoring.asked(moment="payment", team="birch")
    await scoring.post(f"/s/{token}", score=9)
    await scoring.post(f"/s/{token}", score=2, revision=1)

    for by, cell in {
        "channel,segment": {"channel": "phone", "segment": "family"},
        "moment": {"moment": "payment"},
        "team,channel": {"team": "birch", "channel": "phone"},
    }.items():
        (read_cell,) = (await read(scoring, f"by={by}&window=1d", "admin"))["cells"]
        assert read_cell.items() >= {**cell, "n": 1, "detractors": 1, "promoters": 0, "score": -100.0}.items()
