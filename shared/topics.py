"""Every topic, once: what it carries, under which key, who writes and who reads it, how long it is kept.

Partitions, retention and readers here are what the deployment creates and what AsyncAPI says. A prefix, where a deployment sets one, is
put before the names by the runtime.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared import schemas
from shared.schemas import Message

SERVICES = ("ingest", "scoring", "routing")
DEAD = ".dead"
WEEK = timedelta(days=7)
ERASURE_HORIZON = timedelta(days=35)


@dataclass(frozen=True)
class Topic:
    """One topic. `readers` and `writers` are services or the outsiders' trade; `raw`: its records are stamped by the broker's clock."""

    name: str
    key: str
    messages: tuple[type[Message], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    retention: timedelta = WEEK
    partitions: int = 12
    compacted: bool = False
    raw: bool = False

    @property
    def default_channel(self) -> str | None:
        """The channel of a raw event that names none: what comes after the dot of an `interactions.…` topic."""
        return self.name.rpartition(".")[2] if self.raw and self.name.startswith("interactions.") else None

    def dead(self) -> "Topic":
        """The topic that receives the original bytes of what a reader could not process."""
        ours = tuple(reader for reader in self.readers if reader in SERVICES)
        return replace(
            self, name=self.name + DEAD, key="original", messages=(), writers=ours, readers=ours, retention=WEEK, compacted=False, raw=True
        )


class UnknownMessageType(LookupError):
    """No topic carries this message."""

    def __init__(self, message_type: str) -> None:
        super().__init__(f"No topic carries {message_type!r}; add it to a row of shared.topics.TOPICS.")


CUSTOMER_ELSE_INTERACTION = "customer, else interaction"

LIVE = (
    Topic("interactions.phone", "any", (), ("platforms",), ("ingest",), raw=True),
    Topic("interactions.web", "any", (), ("platforms",), ("ingest",), raw=True),
    Topic("interactions.chat", "any", (), ("platforms",), ("ingest",), raw=True),
    Topic("customers.profiles", "any", (schemas.ProfileGiven,), ("crm",), ("ingest",)),
    Topic("interactions.completed", CUSTOMER_ELSE_INTERACTION, (schemas.InteractionCompleted,), ("ingest",), ("scoring",)),
    Topic("customers.changed", "customer", (schemas.CustomerChanged,), ("ingest",), ("scoring", "routing"), compacted=True),
    Topic("consents.changed", "customer, else address ref", (schemas.ConsentChanged,), SERVICES, SERVICES, retention=ERASURE_HORIZON),
    Topic("survey.decisions", CUSTOMER_ELSE_INTERACTION, (schemas.SurveyDecided,), ("scoring",), ("anyone",)),
    Topic("survey.responses", "any", (schemas.SurveyAnswered,), ("outsiders",), ("scoring",)),
    Topic("feedback.scored", "customer, else survey", (schemas.FeedbackScored,), ("scoring",), ("routing",)),
    Topic("callbacks.requested", "case", (schemas.CallbackRequested,), ("routing",), ("dialers",)),
    Topic("callbacks.outcomes", "case", (schemas.CallbackAttempted,), ("dialers",), ("routing",)),
    Topic("callbacks.changed", "case", (schemas.CallbackChanged,), ("routing",), ("scoring", "consoles", "anyone")),
    Topic("customers.erased", "customer", (schemas.CustomerErased, schemas.ErasureReported), SERVICES, SERVICES, retention=ERASURE_HORIZON),
)
TOPICS: dict[str, Topic] = {topic.name: topic for topic in LIVE}
DEAD_TOPICS: dict[str, Topic] = {topic.dead().name: topic.dead() for topic in LIVE if topic.dead().readers}
TOPIC_BY_TYPE: dict[str, str] = {message.TYPE: topic.name for topic in LIVE for message in topic.messages}


def topic_of(message_type: str) -> str:
    """The one topic that carries a CloudEvents type; UnknownMessageType where none does."""
    try:
        return TOPIC_BY_TYPE[message_type]
    except KeyError:
        raise UnknownMessageType(message_type) from None


def read_by(service: str) -> tuple[Topic, ...]:
    """The topics a service consumes, in the table's order."""
    return tuple(topic for topic in LIVE if service in topic.readers)
