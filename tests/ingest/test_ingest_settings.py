"""Settings that cannot work are refused at the start, by name."""

import json
from pathlib import Path

import pytest

from ingest.app import catalogue_of, own_numbers_of
from ingest.errors import CatalogueFileUnusable, OwnNumberUnusable
from ingest.settings import Settings


def test_a_catalogue_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps({"teams": {"elm": "Elm"}, "queues": {"q-1": "elm"}}))

    assert catalogue_of(str(file)).queues == {"q-1": "elm"}
    assert catalogue_of("").teams == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"teams": {}, "queues": {"q-1": "elm"}}', "queues.q-1: unknown_team"),
        ('{"queues": {}}', "teams: missing"),
        ("{", "json_invalid"),
        (None, "No such file"),
    ],
)
def test_a_catalogue_file_that_cannot_be_used_is_refused_with_the_place(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "catalogue.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(CatalogueFileUnusable, match=said):
        catalogue_of(str(file))


def test_own_numbers_are_compared_in_one_form() -> None:
    assert own_numbers_of(Settings(own_numbers={"(212) 555-0142": "Survey"})) == {"+12125550142": "survey"}


def test_an_own_number_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(OwnNumberUnusable) as refused:
        own_numbers_of(Settings(own_numbers={"+12125550142": "survey", "12": "callback"}))

    assert "Number 2" in str(refused.value)


def test_a_zone_that_does_not_exist_is_refused_at_the_start() -> None:
    assert Settings(source_zones={"pbx": "America/Chicago"}).raw().zone_of("pbx") == "America/Chicago"
    for wrong in ({"source_zone": "Mars/Base"}, {"source_zones": {"pbx": "Mars/Base"}}):
        with pytest.raises(ValueError, match="There is no time zone 'Mars/Base'"):
            Settings.model_validate(wrong)


def test_events_that_end_a_visit_may_be_written_as_they_are_tracked() -> None:
    assert Settings(end_events=["Article Rated", "form_submitted", " "]).raw().ends == {"article_rated", "form_submitted"}
