"""Scoring does not start with settings that cannot work."""

from typing import Any

import pytest

from scoring.settings import Settings
from shared.runtime.settings import SettingsRefused, load

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"first_policies": {"tnps": {"sampling": {"rate": 2}}}}, "sampling.rate"),
    ({"first_policies": {"mood": {}}}, "tnps, recovery"),
    ({"gateways": {"sms": "webhook"}}, "SCORING_WEBHOOK_URL is missing"),
    ({"gateways": {"sms": "webhook"}, "webhook_url": "https://sms.example.com", "webhook_secret": "short"}, "SCORING_WEBHOOK_SECRET"),
    ({"gateways": {"sms": "pigeon"}}, "GATEWAYS"),
    ({"send_lease_s": 5.0}, "SCORING_SEND_LEASE_S"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_a_wrong_setting_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsRefused, match=said):
        load(Settings, **given)


def test_production_refuses_the_development_inbox() -> None:
    with pytest.raises(SettingsRefused):
        load(Settings, production=True)


def test_policies_can_be_given_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORING_FIRST_POLICIES", '{"recovery": {"after_s": 20}}')

    assert load(Settings).first_policies == {"recovery": {"after_s": 20}}
