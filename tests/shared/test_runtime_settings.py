"""Settings: which variable wins, and what production refuses."""

from typing import ClassVar

import pytest
from pydantic import Field

from shared.runtime.settings import ServiceSettings, SettingsRefused, Words, load, secret, table

SAFE = {
    "AFTERCALL_PRODUCTION": "true",
    "AFTERCALL_DATABASE_URL": "postgresql+psycopg://scoring:s3@db/aftercall",
    "AFTERCALL_SEAL_KEYS": "2026a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "AFTERCALL_PEPPER": "p" * 40,
    "AFTERCALL_COOKIE_SECRET": "c" * 40,
    "AFTERCALL_PUBLIC_URL": "https://surveys.example.com",
}


class ToySettings(ServiceSettings):
    SERVICE: ClassVar[str] = "toy"

    hold_off_s: float = Field(120.0, gt=0, description="hold-off, seconds")
    gateways: Words = Field(default_factory=list, description="gateways to use")
    hook_secret: str = secret(description="signs webhooks")
    weights: dict[str, float] = Field(default_factory=dict, description="weights, as JSON")


def _environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_the_services_own_variable_wins_over_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, {"AFTERCALL_PUBLIC_PORT": "8100", "TOY_PUBLIC_PORT": "8200", "AFTERCALL_HOLD_OFF_S": "2"})
    settings = load(ToySettings)
    assert (settings.public_port, settings.hold_off_s) == (8200, 2.0)


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, {"TOY_PUBLIC_PORT": "8200"})
    assert load(ToySettings, public_port=0).public_port == 0


@pytest.mark.parametrize("text", ["sms,page", '["sms", "page"]', " sms , page,"])
def test_a_list_is_written_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    _environment(monkeypatch, {"TOY_GATEWAYS": text})
    assert load(ToySettings).gateways == ["sms", "page"]


def test_a_wrong_value_is_refused_by_the_name_of_its_variable_without_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, {"TOY_HOLD_OFF_S": "hunter2"})
    with pytest.raises(SettingsRefused) as refused:
        load(ToySettings)
    assert "TOY_HOLD_OFF_S" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_production_starts_with_secrets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, SAFE)
    assert load(ToySettings).production


@pytest.mark.parametrize(
    "variable", ["AFTERCALL_DATABASE_URL", "AFTERCALL_SEAL_KEYS", "AFTERCALL_PEPPER", "AFTERCALL_COOKIE_SECRET", "AFTERCALL_PUBLIC_URL"]
)
def test_production_refuses_each_default_by_name(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    _environment(monkeypatch, {name: value for name, value in SAFE.items() if name != variable})
    with pytest.raises(SettingsRefused, match=variable):
        load(ToySettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AFTERCALL_SEAL_KEYS", "development:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("AFTERCALL_COOKIE_SECRET", "development-only-of-the-demo-" + "x" * 40),
        ("AFTERCALL_COOKIE_SECRET", "short"),
        ("AFTERCALL_OUTBOUND_ALLOW", "127.0.0.1:9900"),
        ("TOY_HOOK_SECRET", "development-only-hook"),
        ("AFTERCALL_BROKER", "memory"),
    ],
)
def test_production_refuses_development_values(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    _environment(monkeypatch, {**SAFE, variable: value})
    with pytest.raises(SettingsRefused, match=variable.partition("_")[2]):
        load(ToySettings)


def test_a_value_that_is_no_json_is_refused_by_name_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(monkeypatch, {"TOY_WEIGHTS": '{"sms": whsec_abc'})

    with pytest.raises(SettingsRefused) as refused:
        load(ToySettings)
    assert str(refused.value) == "TOY_WEIGHTS or AFTERCALL_WEIGHTS: is no JSON"


def test_a_secret_is_not_in_the_repr() -> None:
    assert "development-only" not in repr(load(ToySettings))


def test_every_setting_has_a_meaning() -> None:
    rows = table(ToySettings)
    assert [variable for variable, _, words in rows if not words] == []
    assert ("AFTERCALL_HOLD_OFF_S", "120.0", "hold-off, seconds") in rows
