"""What the server makes of a request head, byte for byte."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from modelwarden.exporters.exporter import Response
from modelwarden.exporters.request import (
    HEADERS_MAX,
    LINE_BYTES_MAX,
    LOOPBACK_NAMES,
    RefusedError,
    Request,
    answer,
    parse,
)

HOST = b"Host: localhost:9736"


def fails() -> Response:
    """A route with an error."""
    raise LookupError("secret detail")


ROUTES = {"/metrics": lambda: Response(b"m 1\n"), "/fails": fails}


def status(*lines: bytes, names: frozenset[str] | None = LOOPBACK_NAMES) -> int:
    """The status that a request of these lines gets."""
    return int(answer(b"\r\n".join(lines), ROUTES, names).split(b" ", 2)[1])


def test_parse() -> None:
    """Method, path without query, host without port."""
    head = b"\r\n".join([b"GET /metrics?name=x HTTP/1.1", b"accept:*/*", b"HOST:\t LocalHost:80 "])
    assert parse(head) == Request("GET", "/metrics", "localhost")


def test_answer_is_whole() -> None:
    """A browser keeps nothing of it, guesses no type and hands it to no other site."""
    lines = answer(b"GET /metrics HTTP/1.1\r\n" + HOST, ROUTES, None).split(b"\r\n")
    assert lines == [
        b"HTTP/1.1 200 OK",
        b"Server: modelwarden",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: 4",
        b"Cache-Control: no-store",
        b"X-Content-Type-Options: nosniff",
        b"Cross-Origin-Resource-Policy: same-origin",
        b"Connection: close",
        b"",
        b"m 1\n",
    ]


def test_head_has_no_body() -> None:
    """HEAD tells the length of what GET would send."""
    sent = answer(b"HEAD /metrics HTTP/1.1\r\n" + HOST, ROUTES, None)
    assert b"Content-Length: 4\r\n" in sent
    assert sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"get"])
def test_other_methods(method: bytes) -> None:
    """What is no GET or HEAD learns what is allowed."""
    sent = answer(method + b" /metrics HTTP/1.1\r\n" + HOST, ROUTES, None)
    assert sent.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in sent


@pytest.mark.parametrize("path", [b"/", b"/metrics/", b"/Metrics", b"/../metrics", b"/%6detrics"])
def test_other_paths(path: bytes) -> None:
    """A path is one of the routes to the letter, or 404."""
    assert status(b"GET " + path + b" HTTP/1.1", HOST) == 404


@pytest.mark.parametrize(
    "lines",
    [
        (b"",),
        (b"GET /metrics",),
        (b"GET  /metrics HTTP/1.1", HOST),
        (b"GET /metrics HTTP/2.0", HOST),
        (b"GET http://localhost/metrics HTTP/1.1", HOST),
        (b"GET /metrics HTTP/1.1 x", HOST),
        (b"GET /m\x00 HTTP/1.1", HOST),
        (b"GET /metrics HTTP/1.1",),
        (b"GET /metrics HTTP/1.1", HOST, HOST),
        (b"GET /metrics HTTP/1.1", HOST, b" folded: line"),
        (b"GET /metrics HTTP/1.1", HOST, b"no colon"),
        (b"GET /metrics HTTP/1.1", HOST, b"Space : before"),
        (b"GET /metrics HTTP/1.1", HOST, b"Bare: line\nfeed"),
        (b"GET /metrics HTTP/1.1", b"Host: user@localhost"),
    ],
)
def test_malformed(lines: tuple[bytes, ...]) -> None:
    """What is not HTTP/1 to the letter is a bad request, never a guess."""
    assert status(*lines) == 400


def test_limits() -> None:
    """A long line or many headers are refused, each by its own status."""
    assert status(b"GET /" + b"a" * LINE_BYTES_MAX + b" HTTP/1.1", HOST) == 414
    assert status(b"GET /metrics HTTP/1.1", HOST, b"a: " + b"a" * LINE_BYTES_MAX) == 431
    assert status(b"GET /metrics HTTP/1.1", HOST, *[b"a: b"] * HEADERS_MAX) == 431


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:9736", b"127.0.0.1:1", b"[::1]:9736"])
def test_own_names(host: bytes) -> None:
    """On loopback, any of its names with any port will do."""
    assert status(b"GET /metrics HTTP/1.1", b"Host: " + host) == 200


@pytest.mark.parametrize("host", [b"evil.example", b"evil.example:9736", b"localhost.evil.example", b"", b"127.0.0.2"])
def test_foreign_names(host: bytes) -> None:
    """A page whose name was rebound to our address is turned away."""
    assert status(b"GET /metrics HTTP/1.1", b"Host: " + host) == 421


def test_any_name() -> None:
    """On an address of the network we cannot know our names."""
    assert status(b"GET /metrics HTTP/1.1", b"Host: node7.corp.example", names=None) == 200


def test_old_client() -> None:
    """HTTP/1.0 names no host; browsers always do, so nothing is rebound."""
    assert status(b"GET /metrics HTTP/1.0") == 200


def test_error_stays_inside() -> None:
    """Given a route that fails, then the log has the reason, the client does not."""
    with capture_logs() as logs:
        sent = answer(b"GET /fails HTTP/1.1\r\n" + HOST, ROUTES, None)
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in sent
    assert [(entry["event"], entry["path"]) for entry in logs] == [("http_route_failed", "/fails")]


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=100).map(lambda tail: b"GET /x HTTP/1.1\r\n" + tail)))
def test_any_bytes(head: bytes) -> None:
    """Whatever arrives is a request or is refused, and the answer is one HTTP message."""
    with suppress(RefusedError):
        parse(head)
    assert answer(head, {}, None).startswith(b"HTTP/1.1 4")
