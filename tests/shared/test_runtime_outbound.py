"""The outbound guard against a real server on loopback that misbehaves, and against names that point inside."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.metrics import OutboundMetrics
from shared.runtime.outbound import Failed, Outbound, Refused, Unknown, forbidden
from tests.support.wire import answers, expired, wire

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Given: yes\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Names:
    """A resolver that gives its answers one after the other, the last for ever."""

    def __init__(self, *found: list[str]) -> None:
        self._found = list(found)

    async def __call__(self, host: str, port: int) -> list[str]:
        return self._found.pop(0) if len(self._found) > 1 else self._found[0]


async def _post(client: Outbound, url: str, *, seconds: float = 5.0) -> int:
    try:
        return (await client.post(url, content=b'{"a":1}', headers={"content-type": "application/json"}, timeout=seconds)).status
    finally:
        await client.close()


async def test_an_answer_comes_back_whole_and_the_request_arrived_as_given() -> None:
    async with wire(answers(OK)) as server:
        client = Outbound(allow=[server.host])
        reply = await client.post(server.url, content=b'{"a":1}', headers={"webhook-id": "m1"}, timeout=5.0)
        await client.close()
    assert (reply.status, reply.headers["x-given"], reply.body) == (200, "yes", b"ok")
    assert server.received[0].endswith(b'\r\n\r\n{"a":1}')
    assert b"webhook-id: m1\r\n" in server.received[0]


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n"
    async with wire(answers(moved)) as server:
        assert await _post(Outbound(allow=[server.host]), server.url) == 302
    assert len(server.received) == 1


async def test_loopback_is_refused_unless_allowed_and_nothing_arrives() -> None:
    registry = CollectorRegistry()
    async with wire(answers(OK)) as server:
        with pytest.raises(Refused, match="loopback_address"):
            await _post(Outbound(metrics=OutboundMetrics(registry)), server.url)
    assert server.received == []
    assert registry.get_sample_value("aftercall_outbound_calls_total", {"outcome": "refused"}) == 1


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"]
)
async def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(Refused):
        await _post(Outbound(), f"http://{host}:9/hook")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "10.0.0.1",
            "172.16.9.9",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
        ),
        *(
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ),
        *("2002:a00:1::", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::ffff:0:127.0.0.1", "::127.0.0.1", "64:ff9b:1::1"),
    ],
)
def test_an_address_inside_is_forbidden(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_outside_is_not(address: str) -> None:
    assert forbidden(address) is None


async def test_a_name_with_one_address_inside_is_refused() -> None:
    with pytest.raises(Refused, match="private_address"):
        await _post(Outbound(resolver=Names(["8.8.8.8", "10.0.0.1"])), "http://hooks.example.com/")


async def test_a_name_that_changes_between_two_lookups_is_refused_at_connect() -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    assert forbidden((await names("rebind.example.com", 80))[0]) is None
    with pytest.raises(Refused, match="loopback_address"):
        await _post(Outbound(resolver=names), "http://rebind.example.com/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "http://",
        "http://a b/",
        "http://x:99999/",
        "http://x:0/",
        "http://ex\nample.com/",
        "http:\\\\x",
    ],
)
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="url_invalid"):
        await _post(Outbound(), url)


async def test_user_info_is_refused() -> None:
    with pytest.raises(Refused, match="user_info"):
        await _post(Outbound(), "http://hooks.example.com@127.0.0.1/")


async def test_an_unknown_name_or_a_closed_port_is_a_failure_that_may_be_tried_again() -> None:
    with pytest.raises(Failed, match="name_not_found"):
        await _post(Outbound(resolver=Names([])), "http://nowhere.example.com/")
    async with wire(answers(OK)) as server:
        pass
    with pytest.raises(Failed, match="connect_error"):
        await _post(Outbound(allow=[server.host]), server.url)


async def test_a_reset_before_or_inside_the_answer_leaves_the_outcome_unknown() -> None:
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhal")
        await writer.drain()
        writer.transport.abort()

    for script in (answers(), reset):
        async with wire(script) as server:
            with pytest.raises(Unknown):
                await _post(Outbound(allow=[server.host]), server.url)


async def test_an_endless_answer_is_cut() -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    async with wire(endless) as server:
        with pytest.raises(Unknown, match="answer_too_large"):
            await _post(Outbound(allow=[server.host], body_limit=100_000), server.url)


async def test_a_dripping_answer_ends_at_the_time_limit_of_the_whole_call() -> None:
    drops = answers(CHUNKED, *([b"1\r\nx\r\n"] * 1000), pause=0.02)
    async with wire(drops) as server:
        with pytest.raises(Unknown, match="timed_out"):
            await _post(Outbound(allow=[server.host]), server.url, seconds=0.2)


async def test_a_silent_server_leaves_the_outcome_unknown() -> None:
    async with wire(answers(b"", pause=5.0)) as server:
        with pytest.raises(Unknown, match="timed_out"):
            await _post(Outbound(allow=[server.host]), server.url, seconds=0.2)


async def test_an_expired_certificate_that_nobody_vouches_for_is_a_failure(tmp_path: Path) -> None:
    async with wire(answers(OK), tls=expired(tmp_path)) as server:
        with pytest.raises(Failed):
            await _post(Outbound(allow=[server.host]), server.url.replace("http:", "https:"))
    assert server.received == []


async def test_a_server_without_a_certificate_of_its_own_is_a_failure() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Failed):
        await _post(Outbound(allow=[host]), f"https://{host}/hook")
    server.close()
