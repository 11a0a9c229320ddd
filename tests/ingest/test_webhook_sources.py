"""Sources of webhooks: what settings can say, and whom an address belongs to."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import WebhookSourcesUnusable
from ingest.intake.signatures.source import ZENDESK_TESTS
from ingest.intake.sources import Sources, sources_of
from ingest.settings import Settings
from shared.runtime.settings import SettingsRefused, load
from tests.support.signing import PUBLIC_KEY, STANDARD_SECRET, TEXT_SECRET

PATH = "p" * 22
ROOT = Path(__file__).resolve().parents[2]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:contacts"


def made(*written: dict[str, Any], production: bool = False) -> Sources:
    return sources_of([{"name": f"s{n}", **each} for n, each in enumerate(written)], public_url="https://x.example", production=production)


def twilio(**given: Any) -> dict[str, Any]:
    return {"platform": "twilio", "secrets": [TEXT_SECRET], **given}


def standard(**given: Any) -> dict[str, Any]:
    return {"platform": "native", "check": "standard", "secrets": [STANDARD_SECRET], **given}


def test_a_source_is_told_the_public_address_where_it_names_none() -> None:
    named, other = made(twilio(), twilio(public_url="https://y.example")).sources

    assert (named.public_url, other.public_url) == ("https://x.example", "https://y.example")


def test_a_source_is_reached_by_its_platform_or_its_name_but_by_a_path_alone_where_it_has_one() -> None:
    sources = made(twilio(), twilio(name="second"), twilio(name="hidden", path=PATH), standard())

    def names(platform: str, part: str | None) -> list[str]:
        return [each.name for each in sources.at(platform, part)]

    assert names("twilio", None) == ["s0", "second"]
    assert (names("twilio", "second"), names("twilio", PATH)) == (["second"], ["hidden"])
    assert (names("twilio", "hidden"), names("native", PATH), names("native", "second"), names("zendesk", None)) == ([], [], [], [])
    assert (sources.has("twilio"), sources.has("zendesk")) == (True, False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (twilio(secrets=[]), "source s0: secrets: there is none: enter what the platform signs with"),
        (twilio(secrets=[""]), "source 1: secrets.0: is empty: leave it out, or fill it in"),
        (twilio(secrets=["  "]), "source 1: secrets.0: is empty"),
        (twilio(secrets=[TEXT_SECRET + "\n"]), "source 1: secrets.0: holds blanks"),
        (twilio(secrets=[TEXT_SECRET, ""]), "source 1: secrets.1: is empty"),
        (twilio(secrets=["a", "b", "c"]), "source 1: secrets: List should have at most 2 items"),
        (twilio(shared_keys={"k": ""}), "source 1: shared_keys.k: is empty"),
        (twilio(public_url="https://x.example/v1/webhooks/twilio"), "source 1: public_url: is the address before /v1/webhooks"),
        (twilio(public_url="x.example"), "source 1: public_url: is the address before /v1/webhooks"),
        (twilio(name="Main Line"), "source 1: name: String should match pattern"),
        (twilio(topics=[TOPIC]), "source s0: topics: only the check sns has them"),
        (twilio(unsigned_allowed=True, path=PATH), "source s0: unsigned_allowed: only for chatwoot and ringcentral"),
        (twilio(zone="Mars/Olympus"), "source 1: zone: is no IANA zone"),
        (twilio(secret="x"), "source 1: secret: Extra inputs are not permitted"),
        (twilio(rate=0), "source 1: rate: Input should be greater than 0"),
        (twilio(test_requests=True), "source s0: test_requests: only Zendesk has them"),
        ({"platform": "chatwoot", "unsigned_allowed": True}, "source s0: path: unsigned requests need one"),
        ({"platform": "chatwoot", "unsigned_allowed": True, "path": "short"}, "source 1: path: String should have at least 22 characters"),
        ({"platform": "genesys-cloud"}, "source s0: check: say how it is believed, standard, sns or key"),
        ({"platform": "genesys-cloud", "check": "key", "secrets": [TEXT_SECRET]}, "source s0: secrets: the check key uses none"),
        ({"platform": "amazon-connect", "check": "sns"}, "source s0: topics: there is none"),
        ({"platform": "amazon-connect", "check": "sns", "topics": ["contacts"]}, "source 1: topics.0: is no ARN of an SNS topic"),
        (standard(secrets=[TEXT_SECRET]), "source s0: secrets.0: is neither whsec_"),
        (standard(secrets=["whsec_c2hvcnQ="]), "source s0: secrets.0: is neither whsec_"),
        (standard(secrets=[STANDARD_SECRET, "whpk_" + "A" * 40]), "source s0: secrets.1: is neither whsec_"),
        (standard(shared_keys={"k": TEXT_SECRET}), "source s0: shared_keys: only Twilio has them"),
    ],
)
def test_a_source_that_cannot_work_is_refused_with_its_field_and_without_its_value(written: dict[str, Any], said: str) -> None:
    with pytest.raises(WebhookSourcesUnusable) as refused:
        made(written)

    assert said in str(refused.value)
    assert TEXT_SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        twilio(),
        twilio(secrets=[], shared_keys={"k": TEXT_SECRET}),
        standard(secrets=[STANDARD_SECRET, PUBLIC_KEY]),
        {"platform": "zendesk", "secrets": [TEXT_SECRET, "another-of-its-secrets"], "test_requests": True},
        {"platform": "chatwoot", "unsigned_allowed": True, "path": PATH},
        {"platform": "ringcentral", "secrets": [TEXT_SECRET], "path": PATH},
        {"platform": "amazon-connect", "check": "sns", "topics": [TOPIC, TOPIC + ".fifo"], "account": "instance-1"},
        {"platform": "genesys-cloud", "check": "key", "zone": "America/New_York", "channel": "phone", "rate": 5},
    ],
)
def test_every_way_of_believing_can_be_set(written: dict[str, Any]) -> None:
    assert len(made(written).sources) == 1


@pytest.mark.parametrize("twice", [{"name": "same"}, {"path": PATH}])
def test_two_sources_share_neither_name_nor_path(twice: dict[str, str]) -> None:
    with pytest.raises(WebhookSourcesUnusable, match="another source has it"):
        made(twilio(**twice), twilio(**twice))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (twilio(secrets=["a1b2c3d4e5f6a7b"]), "too weak"),
        (twilio(secrets=["a" * 64]), "too weak"),
        (twilio(secrets=[TEXT_SECRET], shared_keys={"k": "short"}), "too weak"),
        ({"platform": "zendesk", "secrets": [TEXT_SECRET], "test_requests": True}, "anybody can sign them"),
        ({"platform": "zendesk", "secrets": [ZENDESK_TESTS]}, "anybody can sign them"),
    ],
)
def test_production_refuses_what_could_be_guessed(written: dict[str, Any], said: str) -> None:
    assert made(written).sources
    with pytest.raises(WebhookSourcesUnusable, match=said):
        made(written, production=True)


def test_the_service_does_not_start_with_sources_that_cannot_work() -> None:
    with pytest.raises(SettingsRefused, match=r"INGEST_WEBHOOK_SOURCES cannot be used .source s: secrets: there is none"):
        load(Settings, webhook_sources=[{"name": "s", "platform": "twilio"}])


def test_sources_are_read_from_the_environment_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_WEBHOOK_SOURCES", f'[{{"name": "s", "platform": "twilio", "secrets": ["{TEXT_SECRET}"]}}]')
    settings = load(Settings)

    assert settings.sources().sources[0].secrets == [TEXT_SECRET]
    assert TEXT_SECRET not in repr(settings) + repr(settings.sources())


def test_the_sources_in_the_readme_are_ones_that_start() -> None:
    text = (ROOT / "services" / "ingest" / "README.md").read_text(encoding="utf-8")
    written = text.partition("INGEST_WEBHOOK_SOURCES=[")[2].partition("```")[0]

    assert len(load(Settings, webhook_sources=json.loads(f"[{written}")).sources().sources) == 5
