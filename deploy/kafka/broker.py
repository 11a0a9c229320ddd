"""Apache Kafka without Docker, for the demo and the tests: its own jars, one KRaft node on free loopback ports.

Maven copies the jars named in pom.xml once, into .run/ at the root. Run as a script this file is the guardian of one broker
(see deploy/guardian.py).
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the guardian runs as a script, from any folder

from aiokafka.admin import AIOKafkaAdminClient  # noqa: E402
from aiokafka.errors import KafkaError  # noqa: E402

from deploy.guardian import Guarded, guard, guarded, log_file  # noqa: E402  # after the line above

POM = Path(__file__).with_name("pom.xml")
NODE = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""
JAVA = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
CLUSTER_ID = "YWZ0ZXJjYWxsLWRlbW8tMQ"  # any 16 bytes in base64


class KafkaNotAvailable(RuntimeError):
    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"Apache Kafka cannot start here: {' and '.join(missing)} not found. Install a Java 17 runtime and Maven.")


@dataclass(frozen=True, slots=True)
class Broker:
    guarded: Guarded

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.guarded.ports[0]}"

    def kill(self) -> None:
        """SIGKILL; what was acknowledged stays."""
        self.guarded.kill()

    def start(self) -> None:
        """Start again after `kill`, on the same port and data."""
        self.guarded.start()


@contextmanager
def kafka() -> Iterator[Broker]:
    """A fresh broker that serves; stopped and erased at the end, also when this process is killed."""
    missing = missing_tools()
    if missing:
        raise KafkaNotAvailable(missing)
    jars()
    with guarded(Path(__file__)) as broker:
        yield Broker(broker)


def missing_tools() -> list[str]:
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def jars() -> Path:
    """The folder of Kafka's jars; Maven fills it once per pom.xml, and whoever comes second waits for the first."""
    folder = ROOT / ".run" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={part}"]
            maven = ["mvn", "--quiet", "--batch-mode", "-Dstyle.color=never", "--file", str(POM)]
            subprocess.run([*maven, *copy], check=True, stdout=sys.stderr)
            part.rename(folder)
    return folder


class Kafka:
    """The guardian's recipe."""

    name = "kafka"
    ports = 2
    cut = signal.SIGKILL

    def prepare(self, directory: Path, ports: tuple[int, ...]) -> None:
        broker, controller = ports
        node = directory / "node.properties"
        node.write_text(NODE.format(broker=broker, controller=controller, data=directory / "data"))
        storage = ["kafka.tools.StorageTool", "format", "--config", str(node), "--cluster-id", CLUSTER_ID]
        with log_file(directory).open("wb") as out:
            subprocess.run([*self._java(), *storage], check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=directory)

    def command(self, directory: Path, _ports: tuple[int, ...]) -> list[str]:
        return [*self._java(), "kafka.Kafka", str(directory / "node.properties")]

    def user(self) -> str | None:
        return None

    def ready(self, _directory: Path, ports: tuple[int, ...]) -> bool:
        return asyncio.run(_serves(f"127.0.0.1:{ports[0]}"))

    def _java(self) -> list[str]:
        return [*JAVA, "-cp", os.fspath(jars() / "*")]


async def _serves(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        await admin.find_coordinator("readiness")  # makes the topic of offsets, so that the first group need not wait for it
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        with suppress(KafkaError, OSError):
            await admin.close()


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # until the broker serves, refused connections are no news
    guard(Kafka())
