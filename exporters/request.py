"""HTTP as far as a scrape needs it: one request head becomes an answer, pure bytes to bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from modelwarden.exporters.exporter import Response, Route

LINE_BYTES_MAX = 2048
"""The request line, or one header line."""
HEAD_BYTES_MAX = 8192
"""The request line with all headers, up to the empty line."""
HEADERS_MAX = 64

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[!-~]*) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@/]*)(?::[0-9]{0,5})?")

log = structlog.get_logger(__name__)


class RefusedError(Exception):
    """A request that gets no more than a status with one line."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What the answer depends on."""

    method: str
    path: str
    """Without the query."""
    host: str | None
    """As the client wrote it, without the port, in lower case; `None` where HTTP/1.0 names none."""


def parse(head: bytes) -> Request:
    """The request whose head (without the empty line at its end) is given; `RefusedError` when it is none.

    RFC 9112 is taken strictly: lines end in CRLF, headers do not continue on the next line.
    """
    first, *lines = head.split(b"\r\n")
    if len(first) > LINE_BYTES_MAX:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, f"a request line has {LINE_BYTES_MAX} bytes at most")
    if len(lines) > HEADERS_MAX or any(len(line) > LINE_BYTES_MAX for line in lines):
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many or too long headers")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1 request line")
    hosts = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or b"\r" in line or b"\n" in line or b"\0" in line:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a header line is malformed")
        if header[1].lower() == b"host":
            hosts.append(header[2].decode("latin-1").lower())
    if len(hosts) > 1 or (not hosts and match[3] == b"1"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a request has exactly one Host header")
    host = _HOST.fullmatch(hosts[0]) if hosts else None
    if hosts and host is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the Host header is malformed")
    path = match[2].decode("ascii").partition("?")[0]
    return Request(match[1].decode("ascii"), path, host[1] if host else None)


def answer(head: bytes, routes: Mapping[str, Route], names: frozenset[str] | None) -> bytes:
    """The bytes to send for one request head.

    `names` are the hosts that a client may call us by, `None` for any. A browser that a hostile page made
    resolve its own name to our address (DNS rebinding) says that name, and is turned away.
    """
    head_only = head.startswith(b"HEAD ")
    try:
        request = parse(head)
        route = _choose(request, routes, names)
    except RefusedError as refused:
        return refusal(refused.status, str(refused), head_only=head_only)
    try:
        response = route()
    except Exception:
        # The boundary between an exporter and the network: the client learns nothing of our insides.
        log.exception("http_route_failed", path=request.path)
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the log of modelwarden says why", head_only=head_only)
    return render(response, head_only=head_only)


def _choose(request: Request, routes: Mapping[str, Route], names: frozenset[str] | None) -> Route:
    if names is not None and request.host is not None and request.host not in names:
        raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, "this server answers to localhost only")
    route = routes.get(request.path)
    if route is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there are: {' '.join(sorted(routes))}")
    if request.method not in {"GET", "HEAD"}:
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only")
    return route


def refusal(status: HTTPStatus, why: str, *, head_only: bool = False) -> bytes:
    """An error as plain text of one line."""
    return render(Response(f"{status.phrase}: {why}\n".encode(), status=status), head_only=head_only)


def render(response: Response, *, head_only: bool = False) -> bytes:
    """Status line, headers and body; the connection ends after it."""
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        "Server: modelwarden",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Cross-Origin-Resource-Policy: same-origin",
        "Connection: close",
    ]
    if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: GET, HEAD")
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    return head if head_only else head + response.body
