"""X-Twilio-Signature of a form: HMAC-SHA1 over the address as configured there, then every name with its values, sorted."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit, urlunsplit

STANDARD_PORTS = {"https": 443, "http": 80}


def is_signed(signatures: Sequence[str], url: str, form: Iterable[tuple[str, str]], *, secrets: Iterable[str]) -> bool:
    """`signatures` are all headers of that name: only exactly one counts. `secrets` are the live ones; an empty one signs nothing.

    The sender computes with and without the port, so each spelling of the address is tried.
    """
    if len(signatures) != 1:
        return False
    fields = _fields(form)
    expected = [signature(address + fields, secret) for address in _spellings(url) for secret in secrets if secret]
    return sum(hmac.compare_digest(each.encode(), signatures[0].encode()) for each in expected) > 0


def signature(signed: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha1)).decode()


def _fields(form: Iterable[tuple[str, str]]) -> str:
    return "".join(name + value for name, value in sorted(set(form), key=lambda field: (field[0].encode(), field[1].encode())))


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    user, at, host_and_port = parts.netloc.rpartition("@")
    host = host_and_port if parts.port is None else host_and_port.rpartition(":")[0]
    ports = {host_and_port, host, f"{host}:{STANDARD_PORTS.get(parts.scheme, 443)}"}
    return [urlunsplit((parts.scheme, f"{user}{at}{each}", parts.path, parts.query, "")) for each in sorted(ports)]
