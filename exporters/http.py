"""A small HTTP server for scrapes: one thread, a few connections, a deadline for each.

Neither a slow client nor many of them can do more than wait: a connection has one deadline from its
acceptance to its end, whatever trickles in meanwhile, and when all places are taken the oldest
connection makes room for the next.
"""

import ipaddress
import os
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus

import structlog

from modelwarden.exporters.exporter import Route
from modelwarden.exporters.request import HEAD_BYTES_MAX, LOOPBACK_NAMES, answer, refusal

CONNECTIONS_MAX = 8
DEADLINE_S = 5.0
"""From acceptance to the end of a connection, in seconds."""
LINGER_BYTES_MAX = 65536
"""What a client may still send after its answer; more of it is cut off with a reset."""
_CHUNK = 4096

log = structlog.get_logger(__name__)


class ListenError(RuntimeError):
    """The address cannot be listened on; the message names the setting and the next step."""


class _Connection:
    """One client: reads a head, writes the answer, then waits for the client to hang up.

    Closing at once would reset the connection while the client still sends, and the answer would be lost.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock = sock
        self.deadline = deadline
        self._head = bytearray()
        self._unsent: memoryview | None = None
        self._lingered = 0

    def advance(self, routes: Mapping[str, Route], names: frozenset[str] | None) -> int:
        """Does what can be done without waiting; the events to wait for next, 0 when it is over."""
        try:
            if self._unsent is None and not self._read_head(routes, names):
                return selectors.EVENT_READ
            while self._unsent:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
                if not self._unsent:
                    self.sock.shutdown(socket.SHUT_WR)
            return self._linger()
        except BlockingIOError:
            return selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ
        except OSError:  # the client has gone
            return 0

    def _read_head(self, routes: Mapping[str, Route], names: frozenset[str] | None) -> bool:
        """Reads on; true as soon as there is an answer, which is empty for a client that said nothing."""
        data = self.sock.recv(_CHUNK)
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if 0 <= end <= HEAD_BYTES_MAX:
            self._unsent = memoryview(answer(bytes(self._head[:end]), routes, names))
        elif len(self._head) > HEAD_BYTES_MAX:
            why = f"the head of a request has {HEAD_BYTES_MAX} bytes at most"
            self._unsent = memoryview(refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why))
        elif not data:
            raise ConnectionResetError
        return self._unsent is not None

    def _linger(self) -> int:
        while data := self.sock.recv(_CHUNK):
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES_MAX:
                break
        return 0


class HttpServer:
    """Serves `routes` (path to answer) on one address; port 0 takes a free one."""

    def __init__(
        self,
        address: str,
        port: int,
        routes: Mapping[str, Route],
        *,
        connections_max: int = CONNECTIONS_MAX,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._address = address.removeprefix("[").removesuffix("]")
        self._port = port
        self._routes = dict(routes)
        self._names: frozenset[str] | None = None
        self._connections_max = connections_max
        self._deadline_s = deadline_s
        self._connections: dict[socket.socket, _Connection] = {}
        """Oldest first."""
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._wake = -1
        self._stopping = False

    @property
    def port(self) -> int:
        """The port that is listened on, once started; before that the one that was asked for."""
        return self._port

    def start(self) -> None:
        """Listens, then serves in a thread of its own; `ListenError` when the address cannot be had."""
        self._listener = self._listen()
        host, self._port = self._listener.getsockname()[:2]
        bound = ipaddress.ip_address(host.partition("%")[0])
        if bound.is_loopback:
            own = f"[{bound}]" if bound.version == 6 else str(bound)
            self._names = LOOPBACK_NAMES | {own}
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name="http", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Closes the listener and all connections; without effect when it does not run."""
        if self._thread is None:
            return
        self._stopping = True
        os.eventfd_write(self._wake, 1)
        self._thread.join(timeout_s)
        if self._thread.is_alive():  # a route hangs; the thread is a daemon thread and ends with the process
            log.warning("http_stop_timed_out", timeout_s=timeout_s)
            return
        os.close(self._wake)
        self._thread = None

    def _listen(self) -> socket.socket:
        shown = f"[{self._address}]:{self._port}" if ":" in self._address else f"{self._address}:{self._port}"
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                self._address, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
        except (OSError, UnicodeError) as error:
            raise ListenError(f"[http] listen: {shown} is no address of this machine ({error})") from error
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.settimeout(0)
            listener.bind(where)
            listener.listen(self._connections_max)
        except (OSError, OverflowError) as error:
            listener.close()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ListenError(
                f"[http] listen: cannot listen on {shown} ({reason}); end the program that uses it, "
                "or set another address, such as 127.0.0.1:9737, in config.toml"
            ) from error
        return listener

    def _serve(self, listener: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, listener:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping:
                for key, _ in selector.select(self._until_next_deadline()):
                    if key.fileobj is listener:
                        self._accept(selector, listener)
                    elif key.data in self._connections.values():  # else it made room for another one just now
                        self._advance(selector, key.data)
                now = time.monotonic()
                for connection in [c for c in self._connections.values() if c.deadline <= now]:
                    self._end(selector, connection)
            for connection in list(self._connections.values()):
                self._end(selector, connection)

    def _until_next_deadline(self) -> float | None:
        first = next(iter(self._connections.values()), None)
        return None if first is None else max(0.0, first.deadline - time.monotonic())

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError as error:  # out of descriptors: the listener stays readable, so do not spin on it
            log.warning("http_accept_failed", error=str(error))
            time.sleep(0.1)
            return
        if len(self._connections) >= self._connections_max:
            self._end(selector, next(iter(self._connections.values())))
        sock.settimeout(0)
        connection = _Connection(sock, time.monotonic() + self._deadline_s)
        self._connections[sock] = connection
        selector.register(sock, selectors.EVENT_READ, connection)

    def _advance(self, selector: selectors.BaseSelector, connection: _Connection) -> None:
        events = connection.advance(self._routes, self._names)
        if events:
            selector.modify(connection.sock, events, connection)
        else:
            self._end(selector, connection)

    def _end(self, selector: selectors.BaseSelector, connection: _Connection) -> None:
        selector.unregister(connection.sock)
        del self._connections[connection.sock]
        connection.sock.close()
