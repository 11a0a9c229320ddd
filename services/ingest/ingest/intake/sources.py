"""The sources of webhooks: from settings to whom an address belongs to."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ingest.errors import WebhookSourcesUnusable
from ingest.intake.signatures.source import Source, faults, weaknesses
from ingest.intake.signatures.standard import PUBLIC, public_key
from shared.runtime.webhooks import WebhookSecretInvalid, webhook_key


@dataclass(frozen=True, slots=True)
class Sources:
    """A source with a path of its own is reached by that alone, the others by their name or their platform's."""

    sources: Sequence[Source] = ()

    def at(self, platform: str, part: str | None) -> list[Source]:
        """Those meant by `/v1/webhooks/{platform}` or `/v1/webhooks/{platform}/{part}`."""
        return [each for each in self.sources if each.platform == platform and _is_meant(each, part)]

    def has(self, platform: str) -> bool:
        return any(each.platform == platform for each in self.sources)


def sources_of(written: Sequence[Mapping[str, Any]], *, public_url: str, production: bool) -> Sources:
    """Raises `WebhookSourcesUnusable` with everything that is wrong with them."""
    wrong: list[tuple[str, str]] = []
    found: list[Source] = []
    for place, each in enumerate(written, start=1):
        try:
            source = Source.model_validate({"public_url": public_url, **each})
        except ValidationError as error:
            wrong += [(f"{place}", sentence) for sentence in _sentences(error)]
            continue
        found.append(source)
        wrong += [(source.name, sentence) for sentence in _complaints(source, found, production=production)]
    if wrong:
        raise WebhookSourcesUnusable(wrong)
    return Sources(tuple(found))


def _is_meant(source: Source, part: str | None) -> bool:
    if part is None:
        return source.path is None
    return hmac.compare_digest((source.path or source.name).encode(), part.encode())


def _complaints(source: Source, found: Sequence[Source], *, production: bool) -> Iterator[str]:
    yield from faults(source)
    if [each.name for each in found].count(source.name) > 1:
        yield "name: another source has it"
    if source.path and [each.path for each in found].count(source.path) > 1:
        yield "path: another source has it"
    if source.check == "standard":
        yield from _unfit_keys(source)
    if production:
        yield from weaknesses(source)


def _unfit_keys(source: Source) -> Iterator[str]:
    for place, secret in enumerate(source.secrets):
        try:
            if secret.startswith(PUBLIC):
                public_key(secret)
            else:
                webhook_key(secret)
        except (ValueError, WebhookSecretInvalid):
            yield f"secrets.{place}: is neither whsec_ and the base64 of 24 to 64 bytes nor whpk_ and the base64 of 32"


def _sentences(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_input=False, include_url=False):
        path, said = ".".join(map(str, each["loc"])), str(each["msg"]).removeprefix("Value error, ")
        yield f"{path}: {said}" if path else said
