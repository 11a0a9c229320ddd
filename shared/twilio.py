"""X-Twilio-Signature: an HMAC over the address as configured there, then, of a form, every name with its values, sorted."""

import base64
import hmac
import re
from collections.abc import Iterable, Sequence

STANDARD_PORTS = {"https": 443, "http": 80}
_END_OF_HOST = re.compile(r"[/?#]")
_PORT = re.compile(r":\d+$")


def is_signed(
    signatures: Sequence[str], url: str, form: Iterable[tuple[str, str]], *, secrets: Iterable[str], algorithm: str = "sha1"
) -> bool:
    """`signatures` are all headers of that name: only exactly one counts. `secrets` are the live ones; an empty one signs nothing.

    The sender computes with and without the port, so each spelling of the address is tried.
    """
    if len(signatures) != 1:
        return False
    fields = _fields(form)
    expected = [signature(address + fields, secret, algorithm) for address in _spellings(url) for secret in secrets if secret]
    return sum(hmac.compare_digest(each.encode(), signatures[0].encode()) for each in expected) > 0


def signature(signed: str, secret: str, algorithm: str = "sha1") -> str:
    """What the sender writes; `algorithm` is `sha1` with the account's token, `sha256` with a shared key."""
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), algorithm)).decode()


def _fields(form: Iterable[tuple[str, str]]) -> str:
    return "".join(name + value for name, value in sorted(set(form), key=lambda field: (field[0].encode(), field[1].encode())))


def _spellings(url: str) -> list[str]:
    """The address with the port as given, without one, and with the standard one. Everything else stays to the letter."""
    scheme, _, rest = url.partition("://")
    place = _END_OF_HOST.split(rest, maxsplit=1)[0]
    host = _PORT.sub("", place)
    ports = {place, host, f"{host}:{STANDARD_PORTS.get(scheme, 443)}"}
    return [f"{scheme}://{each}{rest[len(place) :]}" for each in sorted(ports)]
