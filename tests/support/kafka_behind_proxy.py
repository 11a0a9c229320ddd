"""An Apache Kafka with two doors: one of its own, and one that it advertises where a fault proxy stands. Run as a script: its guardian."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the guardian runs as a script, from any folder

from deploy.guardian import Guarded, guard, guarded
from deploy.kafka.broker import Kafka, jars

FRONT = """
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller},FRONT://127.0.0.1:{inner}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},FRONT://127.0.0.1:{front}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,FRONT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""
_OVERWRITTEN = ("listeners=", "advertised.listeners=")


@dataclass(frozen=True, slots=True)
class TwoDoors:
    """`bootstrap` is the door nobody disturbs; a proxy that listens on `front` and leads to `inner` is the other."""

    guarded: Guarded

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.guarded.ports[0]}"

    @property
    def inner(self) -> int:
        return self.guarded.ports[2]

    @property
    def front(self) -> int:
        return self.guarded.ports[3]

    def kill(self) -> None:
        self.guarded.kill()

    def start(self) -> None:
        self.guarded.start()


class KafkaWithTwoDoors(Kafka):
    """The guardian's recipe."""

    ports = 4

    def prepare(self, directory: Path, ports: tuple[int, ...]) -> None:
        broker, controller, inner, front = ports
        super().prepare(directory, (broker, controller))
        node = directory / "node.properties"
        kept = [line for line in node.read_text().splitlines() if not line.startswith(_OVERWRITTEN)]
        node.write_text("\n".join(kept) + FRONT.format(broker=broker, controller=controller, inner=inner, front=front))


@contextmanager
def kafka_with_two_doors() -> Iterator[TwoDoors]:
    """A fresh broker that serves; stopped and erased at the end, also when this process is killed."""
    jars()
    with guarded(Path(__file__)) as broker:
        yield TwoDoors(broker)


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # until the broker serves, refused connections are no news
    guard(KafkaWithTwoDoors())
