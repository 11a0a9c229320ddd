"""The topic table is the contract's table."""

from datetime import timedelta

import pytest

from shared.schemas import MESSAGES
from shared.topics import DEAD_TOPICS, TOPICS, UnknownMessageType, read_by, topic_of


def test_every_message_has_exactly_one_topic() -> None:
    carried = [message for topic in TOPICS.values() for message in topic.messages]
    assert sorted(message.TYPE for message in carried) == sorted(message.TYPE for message in MESSAGES)


def test_a_message_finds_its_topic_by_its_type() -> None:
    assert topic_of("aftercall.interaction-completed.v1") == "interactions.completed"
    assert topic_of("aftercall.customer-erased.v1") == topic_of("aftercall.erasure-reported.v1") == "customers.erased"


def test_a_type_that_no_topic_carries_is_named_in_the_error() -> None:
    with pytest.raises(UnknownMessageType, match=r"interaction-completed\.v9"):
        topic_of("aftercall.interaction-completed.v9")


READ = {
    "ingest": "interactions.phone interactions.web interactions.chat customers.profiles consents.changed customers.erased",
    "scoring": "interactions.completed customers.changed consents.changed survey.responses callbacks.changed customers.erased",
    "routing": "customers.changed consents.changed feedback.scored callbacks.outcomes customers.erased",
}


@pytest.mark.parametrize("service", READ)
def test_a_service_reads_the_topics_the_contract_gives_it(service: str) -> None:
    assert [topic.name for topic in read_by(service)] == READ[service].split()


def test_only_the_state_of_customers_is_compacted_and_only_outsiders_topics_are_raw() -> None:
    assert {topic.name for topic in TOPICS.values() if topic.compacted} == {"customers.changed"}
    assert {topic.name for topic in TOPICS.values() if topic.raw} == {"interactions.phone", "interactions.web", "interactions.chat"}


def test_topics_are_kept_a_week_and_what_erasure_needs_35_days() -> None:
    longer = {topic.name for topic in TOPICS.values() if topic.retention != timedelta(days=7)}
    assert longer == {"consents.changed", "customers.erased"}
    assert {TOPICS[name].retention for name in longer} == {timedelta(days=35)}


def test_a_raw_topic_says_the_default_channel() -> None:
    assert [topic.default_channel for topic in TOPICS.values()][:4] == ["phone", "web", "chat", None]


def test_what_one_of_us_reads_has_a_dead_topic_and_a_dead_topic_has_none() -> None:
    ours = {topic.name for service in ("ingest", "scoring", "routing") for topic in read_by(service)}
    assert set(DEAD_TOPICS) == {f"{name}.dead" for name in ours}
    assert all(topic.raw and topic.retention == timedelta(days=7) and not topic.compacted for topic in DEAD_TOPICS.values())
