"""`dead-letters list | show | discard | resume` of every service: what an admin does on the internal port, for whoever has its settings.

One JSON line each; audited as the command line's doing.
"""

import argparse
from uuid import UUID

from shared.runtime import dead_letters
from shared.runtime.audit import CommandLine
from shared.runtime.database import Unit, as_json
from shared.runtime.errors import AftercallError
from shared.runtime.resolving import discard_one, look_at, resume_topic, stopped_topics
from shared.runtime.sealing import Sealer

HELP = "list, look at or discard messages that could not be taken; let a stopped topic go on"
_REPLAYING = "Replaying one is for the running service: POST /v1/dead-letters/ID/replay on its internal port."


class NoSuchLetter(AftercallError):
    def __init__(self, letter: UUID) -> None:
        self.letter = letter
        super().__init__(f"There is no dead letter {letter}: `dead-letters list` shows those that wait.")


class AlreadyReplayed(AftercallError):
    def __init__(self, letter: UUID) -> None:
        self.letter = letter
        super().__init__(f"Dead letter {letter} was replayed and took effect: there is nothing to discard.")


class TopicNotStopped(AftercallError):
    def __init__(self, topic: str) -> None:
        self.topic = topic
        super().__init__(f"The topic {topic} is not stopped: `dead-letters list` shows those that are.")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _REPLAYING
    acts = parser.add_subparsers(required=True, metavar="act")
    listed = acts.add_parser("list", help="stopped topics, and messages nobody has replayed or discarded, oldest first; never their bodies")
    listed.add_argument("--topic", help="of this topic only")
    listed.add_argument("--after", type=UUID, metavar="ID", help="go on after this one")
    listed.add_argument("--limit", type=int, choices=range(1, 501), default=100, metavar="N", help="at most so many, 500 or fewer")
    shown = acts.add_parser("show", help="keys and types of one message, its values masked")
    discarded = acts.add_parser("discard", help="it need not be taken any more")
    discarded.add_argument("--reason", required=True, type=_reason, help="why, for the audit log; no person's data")
    resumed = acts.add_parser("resume", help="let a topic go on that too many dead letters have stopped; nothing is skipped")
    resumed.add_argument("topic", metavar="TOPIC")
    for act in (shown, discarded):
        act.add_argument("letter", type=UUID, metavar="ID")
    for act, does in ((listed, _list), (shown, _show), (discarded, _discard), (resumed, _resume)):
        act.set_defaults(act=does)


def _reason(words: str) -> str:
    if len(words.strip()) < 3:
        raise argparse.ArgumentTypeError("say why in a few words")
    return words.strip()


async def _list(unit: Unit, given: argparse.Namespace, _: Sealer) -> list[str]:
    stopped = [topic for topic in await stopped_topics(unit) if given.topic in (None, topic)]
    found = await dead_letters.waiting(unit.tx, topic=given.topic, after=given.after, limit=given.limit)
    return [*(as_json({"stopped": topic}) for topic in stopped), *(as_json(dict(each)) for each in found)]


async def _show(unit: Unit, given: argparse.Namespace, sealer: Sealer) -> list[str]:
    seen = await look_at(unit, given.letter, sealer, who=CommandLine())
    if seen is None:
        raise NoSuchLetter(given.letter)
    return [seen.model_dump_json()]


async def _discard(unit: Unit, given: argparse.Namespace, _: Sealer) -> list[str]:
    state = await discard_one(unit, given.letter, reason=given.reason, who=CommandLine())
    if state is None:
        raise NoSuchLetter(given.letter)
    if state == "replayed":
        raise AlreadyReplayed(given.letter)
    return [as_json({"id": given.letter, "state": state})]


async def _resume(unit: Unit, given: argparse.Namespace, _: Sealer) -> list[str]:
    if not await resume_topic(unit, given.topic, who=CommandLine()):
        raise TopicNotStopped(given.topic)
    return [as_json({"resumed": given.topic})]
