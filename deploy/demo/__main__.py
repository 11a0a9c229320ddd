"""`make demo`: everything on this machine, until Ctrl-C."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from typing import ClassVar

import httpx

from deploy.demo import center, home
from deploy.demo.journey import TOPICS
from deploy.demo.mailbox import Mailbox
from deploy.demo.stack import ServicesEnded, Stack, first_of, running
from deploy.demo.stage import Stage
from deploy.guardian import DidNotStart
from deploy.kafka.broker import KafkaNotAvailable
from shared.runtime.database import Database
from shared.runtime.logging import configure
from shared.runtime.serving import Http
from shared.runtime.settings import ServiceSettings, load


class Settings(ServiceSettings):
    """The home page signs in as the services do."""

    SERVICE: ClassVar[str] = "demo"


async def demo(broker: str, *, alone: bool) -> None:
    """`alone`: one contact only, without those who come and go."""
    print(f"Starting PostgreSQL, {'Apache Kafka' if broker == 'kafka' else 'a broker in memory'} and the three services …", flush=True)
    async with running(broker) as stack, httpx.AsyncClient(timeout=10) as client:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stage = Stage(stack.broker)
        mailbox = Mailbox(client, f"{stack.ports.url('scoring')}/v1/inbox")
        await _play(stack, home.Home(stage, stack.place, mailbox), stop, alone=alone)
    print("Everything has ended; nothing is left behind.")


async def _play(stack: Stack, shown: home.Home, stop: asyncio.Event, *, alone: bool) -> None:
    settings = load(Settings, public_port=stack.ports.home, public_url=stack.ports.home_url)
    database = Database(stack.database_url, schema="public")
    app = home.build(settings, database, home=shown)
    page = Http(app, host=settings.host, port=settings.public_port, grace_s=1)
    stage = shown.stage
    tasks = [asyncio.create_task(stage.watch(topic)) for topic in TOPICS]
    await stage.play(center.transferred_call)
    tasks += [] if alone else [asyncio.create_task(stage.go_on())]
    tasks.append(asyncio.create_task(page.run(stop)))
    print(f"\n  Open {home.login_link(app)}\n\nCtrl-C ends it.", flush=True)
    try:
        await first_of(*tasks, stack.ended)
    finally:
        stop.set()
        for task in tasks[:-1]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="The whole product with a made-up contact center.")
    parser.add_argument("--alone", action="store_true", help="one contact only")
    given = parser.parse_args()
    broker = os.environ.get("BROKER", "memory")
    configure("WARNING")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # right after its creation a topic has no leader yet; asking again is normal
    try:
        asyncio.run(demo(broker, alone=given.alone))
    except (KafkaNotAvailable, DidNotStart, ServicesEnded) as refused:
        print(refused, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
