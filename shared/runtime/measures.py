"""Metrics of the data path: consuming, dead letters, publishing, timers."""

from collections import Counter as Counted
from collections.abc import Container, Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.runtime.broker import Partition, Record

_AGES = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600)


class Measures:
    """One per service, over its own registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("aftercall_consumer_records_total", "Records stored", ["topic", "result"], registry=registry)
        self.age = Histogram(
            "aftercall_consumer_age_seconds",
            "Time from the log to the commit, of the oldest record a batch has of a partition",
            ["topic"],
            buckets=_AGES,
            registry=registry,
        )
        self.batch = Histogram("aftercall_consumer_batch_seconds", "Time to store a batch", registry=registry)
        self.lag = Gauge("aftercall_consumer_lag_records", "Records not read yet", ["topic"], registry=registry)
        self.capped = Gauge(
            "aftercall_consumer_capped", "1 while too many dead letters have stopped the topic", ["topic"], registry=registry
        )
        self.retries = Counter("aftercall_consumer_retries_total", "Batches tried again", ["cause"], registry=registry)
        self.lost = Counter(
            "aftercall_consumer_lost_partitions_total", "Partitions another reader took in the middle of a batch", registry=registry
        )
        self.out_of_range = Counter(
            "aftercall_consumer_out_of_range_total",
            "Offsets the log no longer had, or not yet again: read on from the earliest",
            ["topic"],
            registry=registry,
        )
        self.dead = Counter("aftercall_dead_letters_total", "Messages that became dead letters", ["topic", "reason"], registry=registry)
        self.published = Counter("aftercall_outbox_published_total", "Messages published", ["topic"], registry=registry)
        self.outbox_age = Gauge("aftercall_outbox_age_seconds", "Age of the oldest message not published", registry=registry)
        self.outbox_depth = Gauge("aftercall_outbox_messages", "Messages not published yet", registry=registry)
        self.timed = Counter("aftercall_timer_done_total", "Things done when they fell due", ["timer"], registry=registry)
        self.timer_retries = Counter("aftercall_timer_retries_total", "Timer rounds tried again", ["timer"], registry=registry)

    def aged(self, records: Sequence[Record], now: datetime) -> None:
        """A batch was committed at `now`; records are in offset order per partition."""
        oldest = {record.place: record.logged for record in reversed(records)}
        for (topic, _), logged in oldest.items():
            self.age.labels(topic).observe(max(0.0, (now - logged).total_seconds()))

    def took(self, records: Iterable[Record], owned: Container[Partition]) -> None:
        """A batch was committed; of partitions that another reader owns by now nothing was stored."""
        for place, times in Counted([record.place for record in records]).items():
            self.records.labels(place[0], "stored" if place in owned else "not_ours").inc(times)
