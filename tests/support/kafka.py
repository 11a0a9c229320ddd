"""Apache Kafka for the tests that need the real one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.kafka.broker import kafka, missing_tools


@contextmanager
def kafka_bootstrap() -> Iterator[str]:
    """The address of a broker: the one that is given, or one of our own for this run.

    Where neither can be had the test is skipped, loudly; with `CI` or `REQUIRE_KAFKA` set it fails.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    require_kafka()
    with kafka() as broker:
        yield broker.bootstrap


def require_kafka() -> None:
    """Skip, or with `CI` or `REQUIRE_KAFKA` set fail, where no broker can be started."""
    if missing_tools():
        _refuse(missing_tools())


def _refuse(missing: list[str]) -> None:
    sentence = f"NOT TESTED AGAINST APACHE KAFKA: {' and '.join(missing)} not found; install them or set KAFKA_BOOTSTRAP_SERVERS."
    if os.environ.get("CI") or os.environ.get("REQUIRE_KAFKA"):
        pytest.fail(sentence)
    pytest.skip(sentence)
