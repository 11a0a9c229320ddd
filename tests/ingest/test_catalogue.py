"""Whose contact it was and what it was about."""

import pytest

from ingest.catalogue.attribute import Seen, attribute, faults
from ingest.catalogue.model import Catalogue

CATALOGUE = Catalogue.model_validate(
    {
        "teams": {"elm": "Elm", "oak": "Oak"},
        "agents": {"a-1": "oak"},
        "queues": {"q-claims": "elm"},
        "queue_names": {"q-claims": "Claims"},
        "moments": [
            {"moment": "denied_claim", "queue": "q-claims", "reason": "denied"},
            {"moment": "claim", "team": "elm"},
            {"moment": "renewal", "traits": {"product_line": "dental"}, "channel": "web"},
        ],
        "moment_else": "other",
    }
)


@pytest.mark.parametrize(
    ("seen", "team", "moment"),
    [
        (Seen(queue="q-claims"), "elm", "claim"),
        (Seen(queue="q-claims", reason="denied"), "elm", "denied_claim"),
        (Seen(queue="q-claims", agent="a-1"), "oak", "other"),
        (Seen(team="Elm"), "elm", "claim"),
        (Seen(channel="web", traits={"product_line": "dental", "state": "NY"}), None, "renewal"),
        (Seen(), None, "other"),
    ],
)
def test_the_agents_team_comes_before_the_queues_and_the_first_rule_that_fits_names_the_moment(
    seen: Seen, team: str | None, moment: str
) -> None:
    of = attribute(seen, CATALOGUE)

    assert (of.team, of.moment) == (team, moment)


def test_a_queue_without_a_name_keeps_the_platforms() -> None:
    assert [attribute(Seen(queue=queue), CATALOGUE).queue for queue in ("q-claims", "q-9", None)] == ["Claims", "q-9", None]


def test_what_a_catalogue_contradicts_itself_in_is_named_by_its_place() -> None:
    wrong = Catalogue.model_validate(
        {"teams": {}, "agents": {"a": "elm"}, "moments": [{"moment": "m", "queue": "q"}, {"moment": "m", "queue": "q"}]}
    )

    assert list(faults(wrong)) == [("agents.a", "unknown_team"), ("moments.1", "repeated")]


def test_a_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one condition"):
        Catalogue.model_validate({"teams": {}, "moments": [{"moment": "m"}]})
