"""A real SMTP server on a port of its own, that keeps what it was sent and answers as a test wants."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailServer:
    """`answers` are those to the next messages; after the last, 250. `refuses` are addresses nobody has; `password`: sign in first."""

    port: int = 0
    password: str | None = None
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
        return SMTP(self, hostname="mail.test", auth_required=asked, auth_require_tls=False, authenticator=self.signs_in if asked else None)


@asynccontextmanager
async def mail_server(password: str | None = None) -> AsyncIterator[MailServer]:
    made = MailServer(password=password)
    server = await asyncio.get_running_loop().create_server(made.speak, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
