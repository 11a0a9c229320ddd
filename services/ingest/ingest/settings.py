"""Ingest's own settings: `INGEST_X` in the environment, beside those of every service."""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from ingest.errors import WebhookSourcesUnusable
from ingest.intake.sources import Sources, sources_of
from ingest.normalise.model import Raw
from shared.codes import as_code
from shared.runtime.settings import ServiceSettings, Words
from shared.zones import UnknownZone, is_zone


def _seconds(default: float, words: str) -> float:
    made: float = Field(default, ge=0, description=f"{words}, seconds")
    return made


class Settings(ServiceSettings):
    """Durations are seconds."""

    SERVICE: ClassVar[str] = "ingest"

    public_port: int = Field(8001, ge=0, le=65535, description="port of the API and of what platforms post")
    internal_port: int = Field(9001, ge=0, le=65535, description="port of metrics, health and dead letters")
    public_url: str = Field(
        "http://127.0.0.1:8001", description="address under which others reach the public port, without a slash at the end"
    )
    hold_phone_s: float = _seconds(120, "how long a phone contact must be quiet after its last end before it is over")
    hold_chat_s: float = _seconds(900, "the same for a chat")
    hold_web_s: float = _seconds(60, "the same for a web contact")
    hold_other_s: float = _seconds(120, "the same for every other channel")
    address_wait_s: float = _seconds(900, "how much longer to wait where no event named a customer, or an agent's end was not told")
    reopen_within_s: float = _seconds(72 * 3600, "how long after its end a contact that comes back is the same episode")
    stale_phone_s: float = _seconds(12 * 3600, "how long after its last event a phone contact without an end counts as over")
    stale_chat_s: float = _seconds(7 * 24 * 3600, "the same for chats, e-mails and every other thread, such as the ticket of a call")
    stale_web_s: float = _seconds(2 * 3600, "the same for web contacts")
    stale_other_s: float = _seconds(24 * 3600, "the same for every other channel")
    clock_ahead_s: float = _seconds(300, "how far ahead of its arrival an event's own time is believed")
    unread_partition_s: float = _seconds(300, "how long a partition nobody reads holds back closing")
    keep_events_s: float = _seconds(35 * 24 * 3600, "how long the facts of events are kept")
    keep_erased_s: float = _seconds(35 * 24 * 3600, "how long handles of erased people are remembered, so that nothing brings them back")
    erasure_late_s: float = _seconds(3600, "how long after a request to forget somebody a service that has not reported is late")

    close_batch: int = Field(500, ge=1, le=5000, description="contacts judged in one transaction")
    record_limit: int = Field(1_048_576, gt=0, description="largest record taken from a topic, bytes")
    own_numbers: dict[str, str] = Field(
        default_factory=dict, description='our own numbers and what a contact with one is for, as JSON: {"+15550100": "survey"}'
    )
    traits: Words = Field(default_factory=lambda: ["product_line", "state"], description="attributes of contacts that are kept")
    source_account: str = Field("", description="account of events that name none")
    source_zone: str = Field("", description="IANA zone of event times without one")
    source_zones: dict[str, str] = Field(
        default_factory=dict, description='the same by account, as JSON: {"pbx-west": "America/Los_Angeles"}'
    )
    end_events: Words = Field(
        default_factory=list, description="names of tracked events (Segment, Snowplow) that end a visit to the web, such as article_rated"
    )
    webhook_sources: list[dict[str, Any]] = Field(
        default_factory=list,
        repr=False,
        description="who posts to /v1/webhooks and how it is believed, as a JSON list; see services/ingest/README.md",
        json_schema_extra={"secret": True},
    )
    webhook_rate: float = Field(
        500.0, gt=0, description="requests a second of one source of webhooks, in each process; twice as many in a burst"
    )
    catalogue_file: str = Field("", description="JSON file of the catalogue in force until a version is activated")

    def sources(self) -> Sources:
        """Raises `WebhookSourcesUnusable`."""
        return sources_of(self.webhook_sources, public_url=self.public_url, production=self.production)

    def raw(self) -> Raw:
        """What fills in where a payload is silent."""
        ends = frozenset(found for name in self.end_events if (found := as_code(name)))
        return Raw(
            None, account=self.source_account or None, zone=self.source_zone or None, traits=frozenset(self.traits),
            zones=self.source_zones, ends=ends,
        )  # fmt: skip

    @model_validator(mode="after")
    def _zones_exist(self) -> "Settings":
        for name in (self.source_zone, *self.source_zones.values()):
            if name and not is_zone(name):
                raise ValueError(str(UnknownZone(name)))
        return self

    @model_validator(mode="after")
    def _sources_can_be_believed(self) -> "Settings":
        try:
            self.sources()
        except WebhookSourcesUnusable as error:
            raise ValueError(str(error)) from None
        return self
