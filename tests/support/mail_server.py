"""A real SMTP server on a port of its own, that keeps what it was sent and answers as a test wants."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class MailServer:
    """`answers` are those to the next messages; after the last, 250. `refuses` are addresses nobody has; `password`: sign in first.

    With `tls` it takes nothing before STARTTLS.
    """

    port: int = 0
    password: str | None = None
    tls: ssl.SSLContext | None = None
    answers: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802  # aiosmtpd's names
        if address in self.refuses:
            return "550 no such address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.received.append(email.message_from_bytes(envelope.content, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return self.answers.pop(0) if self.answers else "250 OK"

    def signs_in(self, _: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:  # aiosmtpd's interface
        known = self.password is not None and given.password == self.password.encode()
        return AuthResult(success=known, handled=False)

    def speak(self) -> SMTP:
        asked = self.password is not None
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=self.tls,
            require_starttls=self.tls is not None,
            auth_required=asked,
            auth_require_tls=False,
            authenticator=self.signs_in if asked else None,
        )


@asynccontextmanager
async def mail_server(password: str | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[MailServer]:
    made = MailServer(password=password, tls=tls)
    server = await asyncio.get_running_loop().create_server(made.speak, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that is its own authority, and its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "mail.pem"
    file.write_bytes(plain + made.public_bytes(pem))
    return file


def speaking_tls(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
