"""Settings from the environment: `AFTERCALL_X` for all services, `SCORING_X` for one, and the one wins.

Every duration is a float of seconds. A secret has a development default, which production mode refuses by name.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from shared.runtime.errors import AftercallError

COMMON_PREFIX = "AFTERCALL_"
DEVELOPMENT = "development-only"


class SettingsRefused(AftercallError):
    """The environment does not make a service: each problem names its variable and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [word.strip() for word in value.split(",") if word.strip()]


Words = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""A list written as JSON or with commas."""


def secret(default: str = "", *, description: str) -> Any:
    """A field never shown in a repr. A default, or anything that says it is for development, is refused in production."""
    return Field(default, repr=False, description=description, json_schema_extra={"secret": True})


class ServiceSettings(BaseSettings):
    """What every service needs; a service's own `Settings` names itself in `SERVICE` and adds its fields."""

    model_config = SettingsConfigDict(env_prefix=COMMON_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)
    SERVICE: ClassVar[str] = "service"

    production: bool = Field(default=False, description="refuse development secrets, send cookies over HTTPS only")
    log_level: str = Field("INFO", description="least serious level that is logged")

    host: str = Field("127.0.0.1", description="address both ports listen on")
    public_port: int = Field(8000, ge=0, le=65535, description="port of pages, API and webhooks")
    internal_port: int = Field(9000, ge=0, le=65535, description="port of metrics, health and dead letters")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="address under which people reach the public port, without a slash at the end"
    )
    body_limit: int = Field(1_048_576, gt=0, description="largest request body, bytes")
    session_s: float = Field(43_200.0, gt=0, description="how long a signed-in session lasts, seconds")
    login_link_s: float = Field(600.0, gt=0, description="how long a login link works, seconds")
    key_cache_s: float = Field(5.0, ge=0, description="how long a checked API key is trusted without asking the database, seconds")

    key_rate: float = Field(1_000.0, gt=0, description="requests a second of one API key; twice as many in a burst")
    cookie_domain: str = Field(
        "", description="parent domain where the services' addresses share one; empty: each host keeps its own cookie"
    )

    database_url: str = secret(
        "postgresql+psycopg://aftercall:development-only@127.0.0.1:5432/aftercall", description="PostgreSQL of this service"
    )
    migration_url: str = secret("", description="the same as the role that owns the schema, for `migrate`; empty: as database_url")
    pool_size: int = Field(10, ge=1, description="database connections at most")
    pool_wait_s: float = Field(3.0, gt=0, description="longest wait for a database connection before 503, seconds")
    lock_timeout_s: float = Field(5.0, gt=0, description="longest wait of a migration for a lock, seconds")

    broker: Literal["kafka", "memory"] = Field("kafka", description="memory: one process, nothing durable")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="host:port list of the Kafka brokers")
    kafka_session_s: float = Field(
        30.0, ge=1, description="a reader that gave no sign of life for so long loses its partitions to the others, seconds"
    )
    topic_prefix: str = Field("", description="put in front of every topic name")

    seal_keys: str = secret(
        "development:ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw=",
        description="id:base64 of 32 bytes, with commas between; the first writes, all read",
    )
    pepper: str = secret(
        "development-only-pepper-of-the-handles", description="permanent key of the HMACs of handles and addresses, at least 32 characters"
    )
    cookie_secret: str = secret(
        "development-only-secret-of-the-cookie",
        description="signs sessions and login links, at least 32 characters, the same in all services",
    )
    outbound_allow: Words = Field(default_factory=list, description="host:port list the outbound guard lets through; development only")

    company_country: str = Field("US", description="country whose zones and phone numbers are assumed")
    company_zone: str = Field("America/New_York", description="zone of the company's days")
    timer_interval: float = Field(0.5, gt=0, description="pause of a timer with little or nothing due, seconds")
    stop_s: float = Field(20.0, gt=0, description="deadline of each step of a graceful stop, seconds")

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917  # pydantic-settings calls it so
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        own = EnvSettingsSource(settings_cls, env_prefix=f"{cls.SERVICE.upper()}_")
        return init_settings, own, env_settings

    @model_validator(mode="after")
    def _production_is_safe(self) -> "ServiceSettings":
        problems = production_problems(self) if self.production else []
        if problems:
            raise ValueError("; ".join(problems))
        return self


def production_problems(settings: ServiceSettings) -> list[str]:
    """Why these settings must not serve real customers, one sentence each, naming the variable."""
    return [
        *(f"{COMMON_PREFIX}{name.upper()} is a development secret: set your own" for name in _development_secrets(settings)),
        *(
            f"{COMMON_PREFIX}{name.upper()} is too short: set at least 32 characters"
            for name in ("pepper", "cookie_secret")
            if len(getattr(settings, name)) < 32
        ),
        *([f"{COMMON_PREFIX}OUTBOUND_ALLOW opens the outbound guard: leave it empty in production"] if settings.outbound_allow else []),
        *([f"{COMMON_PREFIX}BROKER=memory keeps nothing: use kafka in production"] if settings.broker == "memory" else []),
        *([f"{COMMON_PREFIX}PUBLIC_URL must start with https:// in production"] if not settings.public_url.startswith("https://") else []),
    ]


def _development_secrets(settings: ServiceSettings) -> list[str]:
    fields = type(settings).model_fields
    marked = [name for name, field in fields.items() if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret")]
    return [name for name in marked if _is_development(str(getattr(settings, name)), default=str(fields[name].default))]


def _is_development(value: str, *, default: str) -> bool:
    return bool(value) and (value == default or value.startswith("development:") or DEVELOPMENT in value)


Loaded = TypeVar("Loaded", bound=ServiceSettings)
_QUOTED = re.compile(r'"(\w+)"')
"""Where pydantic-settings names the field it could not read."""


def load(settings: type[Loaded], **given: object) -> Loaded:
    """The settings of this process, or `SettingsRefused` with every problem at once; `given` wins over the environment."""
    try:
        return settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsRefused(
            [_problem(dict(each), settings.SERVICE) for each in error.errors(include_input=False, include_url=False)]
        ) from None
    except SettingsError as error:
        raise SettingsRefused([_problem({"loc": _QUOTED.findall(str(error)), "msg": "is no JSON"}, settings.SERVICE)]) from None


def _problem(error: Mapping[str, Any], service: str) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    sentence = str(error["msg"]).removeprefix("Value error, ")
    return f"{service.upper()}_{name} or {COMMON_PREFIX}{name}: {sentence}" if name else sentence


def table(settings: type[ServiceSettings]) -> list[tuple[str, str, str]]:
    """Variable, default and meaning of every setting of a service, for the documentation."""
    return [
        (
            f"{COMMON_PREFIX}{name.upper()}",
            "" if field.is_required() else str(field.get_default(call_default_factory=True)),
            field.description or "",
        )
        for name, field in settings.model_fields.items()
    ]
