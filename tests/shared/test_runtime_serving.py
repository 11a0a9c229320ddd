"""The HTTP server against clients that waste its time."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from shared.runtime.serving import HEADER_BYTES, Http, Impatient
from tests.support.edges import edged


class VeryImpatient(Impatient):
    HEADER_S = 0.1


@pytest.fixture
async def port(database_url: str) -> AsyncIterator[int]:
    """The toy's public port, served with very little patience."""
    async with edged(database_url) as toy:
        server, stop = Http(toy.public, host="127.0.0.1", port=0, grace_s=1.0, protocol=VeryImpatient), asyncio.Event()
        serving = asyncio.create_task(server.run(stop))
        yield server.port
        stop.set()
        await serving


async def _answer(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(parts)
    try:
        return await asyncio.wait_for(reader.read(), 10.0)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET /v1/odd HT", b"GET /v1/odd HTTP/1.1\r\nhost: a\r\n"])
async def test_a_client_that_does_not_finish_its_head_is_cut(port: int, begun: bytes) -> None:
    assert await _answer(port, begun) == b""


async def test_a_second_request_that_never_ends_is_cut_after_the_first_was_answered(port: int) -> None:
    whole = b"GET /v1/odd HTTP/1.1\r\nhost: a\r\n\r\n"
    assert (await _answer(port, whole, b"GET /v1/odd HT")).startswith(b"HTTP/1.1 422")


async def test_a_head_over_the_limit_is_refused(port: int) -> None:
    head = b"GET /v1/odd HTTP/1.1\r\nhost: a\r\nx-long: " + b"x" * (2 * HEADER_BYTES)
    assert (await _answer(port, head)).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


async def test_an_answer_on_a_kept_connection_does_not_wait_for_the_clients_acknowledgement(database_url: str) -> None:
    async with edged(database_url) as toy:
        server = Http(toy.public, host="127.0.0.1", port=0, grace_s=1.0)
        with server._socket as listening:
            client = socket.create_connection(("127.0.0.1", server.port))
            accepted, _ = listening.accept()
            with client, accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_slow_body_is_not_cut_as_a_slow_head(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /v1/answers/t HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 4 * VeryImpatient.HEADER_S)
    writer.write(b'"score": 9}')
    assert (await asyncio.wait_for(reader.read(), 10.0)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_who_sends_far_too_much_still_reads_the_refusal(port: int) -> None:
    body = b"x" * 8_000_000
    head = f"POST /v1/answers/t HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    assert (await _answer(port, head, body)).startswith(b"HTTP/1.1 413")
