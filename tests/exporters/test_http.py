"""The HTTP server on real sockets: who gets an answer, what a hostile client can do."""

import socket
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from modelwarden.exporters.exporter import Response
from modelwarden.exporters.http import HttpServer, ListenError

BODY = b"m 1\n"
ROUTES = {"/metrics": lambda: Response(BODY), "/large": lambda: Response(b"x" * 8_000_000)}
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """A server on a free port of loopback, with few places."""
    made = HttpServer("127.0.0.1", 0, ROUTES, connections_max=3)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def impatient() -> Iterator[HttpServer]:
    """A server that gives each client half a second."""
    made = HttpServer("127.0.0.1", 0, ROUTES, deadline_s=0.5)
    made.start()
    yield made
    made.stop()


def connect(server: HttpServer) -> socket.socket:
    """A client that waits no longer than a test should."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def read_all(sock: socket.socket) -> bytes:
    """Everything until the server ends the connection, in whichever way."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def exchange(server: HttpServer, request: bytes) -> bytes:
    """What one connection answers to these bytes."""
    with connect(server) as sock:
        sock.sendall(request)
        return read_all(sock)


def test_get(server: HttpServer) -> None:
    """A client of the standard library gets its answer."""
    with urllib.request.urlopen(f"http://localhost:{server.port}/metrics", timeout=5) as answer:
        assert (answer.status, answer.read()) == (200, BODY)
        assert answer.headers["Server"] == "modelwarden"


def test_in_pieces(server: HttpServer) -> None:
    """A request may arrive byte by byte, as long as it arrives in time."""
    with connect(server) as sock:
        for byte in GET:
            sock.sendall(bytes([byte]))
        assert read_all(sock).endswith(BODY)


def test_large_answer(server: HttpServer) -> None:
    """An answer beyond the socket's buffer is sent as the client takes it."""
    assert len(exchange(server, GET.replace(b"metrics", b"large"))) > 8_000_000


def test_one_request_a_connection(server: HttpServer) -> None:
    """A second request on the same connection is not answered: keep-alive is off."""
    assert exchange(server, GET + GET).count(b"HTTP/1.1 200") == 1


def test_body_is_ignored(server: HttpServer) -> None:
    """Given a client that sends a body, then it still gets to read why that is wrong."""
    answer = exchange(server, b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 30_000)
    assert answer.startswith(b"HTTP/1.1 405 ")


def test_endless_head(server: HttpServer) -> None:
    """A head without end is refused at its limit."""
    assert exchange(server, b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 1500).startswith(b"HTTP/1.1 431 ")


def test_silent_client(impatient: HttpServer) -> None:
    """A client that says nothing is cut off at its deadline, without an answer."""
    with connect(impatient) as sock:
        assert read_all(sock) == b""


def test_slow_client(impatient: HttpServer) -> None:
    """A client that sends a byte now and then has the same deadline as one that sends none."""
    started = time.monotonic()
    with connect(impatient) as sock:
        try:
            while time.monotonic() < started + 10:
                sock.sendall(b"a")
                time.sleep(0.05)
        except ConnectionError:
            pass
    assert time.monotonic() < started + 5


def test_client_that_reads_nothing(server: HttpServer) -> None:
    """Given a client that does not take its answer, then others get theirs."""
    with connect(server) as sock:
        sock.sendall(GET.replace(b"metrics", b"large"))
        assert exchange(server, GET).endswith(BODY)


def test_many_silent_clients(server: HttpServer) -> None:
    """Given more silent clients than places, then the oldest makes room for one that speaks."""
    silent = [connect(server) for _ in range(20)]
    try:
        assert exchange(server, GET).endswith(BODY)
    finally:
        for sock in silent:
            sock.close()


def test_client_that_resets(server: HttpServer) -> None:
    """A connection that breaks harms nobody else."""
    with connect(server) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(b"GET")
    assert exchange(server, GET).endswith(BODY)


def test_rebound_name(server: HttpServer) -> None:
    """On loopback, a foreign Host is turned away."""
    assert exchange(server, GET.replace(b"localhost", b"evil.example")).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("address", ["::1", "[::1]"])
def test_ipv6(address: str) -> None:
    """An IPv6 address works, with or without its brackets."""
    server = HttpServer(address, 0, ROUTES)
    server.start()
    try:
        with urllib.request.urlopen(f"http://[::1]:{server.port}/metrics", timeout=5) as answer:
            assert answer.read() == BODY
    finally:
        server.stop()


def test_address_in_use(server: HttpServer) -> None:
    """Given a port that another server has, then the error names the setting, with what to do."""
    second = HttpServer("127.0.0.1", server.port, ROUTES)
    with pytest.raises(ListenError) as caught:
        second.start()
    assert str(caught.value) == (
        f"[http] listen: cannot listen on 127.0.0.1:{server.port} (Address already in use); end the program that "
        "uses it, or set another address, such as 127.0.0.1:9737, in config.toml"
    )
    second.stop()


@pytest.mark.parametrize("address", ["192.0.2.1", "no such name", "::1::"])
def test_address_of_nobody(address: str) -> None:
    """An address that is not ours is an error that names the setting."""
    with pytest.raises(ListenError, match=r"^\[http\] listen: "):
        HttpServer(address, 0, ROUTES).start()


def test_stop() -> None:
    """After a stop, the port is free, the thread gone, and a new server may start there."""
    server = HttpServer("127.0.0.1", 0, ROUTES)
    server.start()
    with connect(server):
        server.stop()
    server.stop()
    assert "http" not in [thread.name for thread in threading.enumerate()]
    again = HttpServer("127.0.0.1", server.port, ROUTES)
    again.start()
    try:
        assert exchange(again, GET).endswith(BODY)
    finally:
        again.stop()
