"""The whole loop, as `make smoke` drives it: from a platform's events to a recovery, over HTTP alone."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.kafka import require_kafka

MILESTONES = ["install", "ready", "survey", "answer", "case", "callback", "recovery"]


def _smoke(broker: str) -> dict[str, float]:
    environment = {**os.environ, "BROKER": broker}
    command = [sys.executable, "-m", "deploy.demo.smoke"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["broker"] == broker
    seconds: dict[str, float] = told["seconds"]
    return seconds


@pytest.mark.slow
def test_one_contact_becomes_a_survey_a_case_a_callback_and_a_recovery_in_one_process() -> None:
    seconds = _smoke("memory")

    assert list(seconds) == MILESTONES
    assert sorted(seconds.values()) == list(seconds.values())


@pytest.mark.slow
@pytest.mark.kafka
def test_the_same_loop_runs_on_apache_kafka_with_a_process_per_service() -> None:
    require_kafka()

    assert list(_smoke("kafka")) == MILESTONES
