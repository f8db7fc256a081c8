"""The census for spreadsheets: one row for each model of each workload (RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from modelwarden.cli.census_readers import Readers
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

_HEAD = ("host_id", "generated_at")
_WORKLOAD = {
    "user": "user", "uid": "uid", "login_user": "login_user", "session": "session", "workload": "id",
    "runtime": "runtime", "exe": "exe", "unit": "unit", "container": "container",
    "container_image": "container_image", "application": "application", "running": "running",
    "workload_first_seen": "first_seen", "workload_last_seen": "last_seen",
}  # fmt: skip
_MODEL = {
    "model": "name", "path": "path", "format": "format", "reason": "reason", "architecture": "architecture",
    "parameters": "parameters", "quantization": "quantization", "license": "license", "size": "size",
    "sha256": "sha256", "verified": "verified", "verdict": "verdict", "opens": "opens",
    "model_first_seen": "first_seen", "model_last_seen": "last_seen",
}  # fmt: skip
_ORIGIN = {f"origin_{name}": name for name in ("kind", "repository", "revision", "name", "file", "role", "remote_host")}
_SHARDS = {"files_seen": "seen", "files": "count"}
HEADER = (*_HEAD, *_WORKLOAD, *_MODEL, *_ORIGIN, *_SHARDS)
"""The columns and their order; new ones are added at the end."""

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""Beginnings that make a spreadsheet compute a cell (OWASP, CSV Injection); the wide ones are typed in East Asia."""


def as_csv(head: Mapping[str, str | None], workloads: list["Document"], models: list["Document"]) -> str:
    """A header and the rows; what a workload has no model for, or a model no workload, has its own row.

    A name that a spreadsheet would compute gets an apostrophe in front; what a person cannot see is written as on
    a terminal.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    first = [_cell(head.get(name)) for name in _HEAD]
    for workload in workloads:
        left = first + _cells(workload, _WORKLOAD.values())
        used: list[Document] = workload.get("models") or [{}]
        writer.writerows(left + _model_cells(model) for model in used)
    readers = Readers(workloads)
    nobody = first + [""] * len(_WORKLOAD)
    writer.writerows(nobody + _model_cells(model) for model in models if not readers.of(model))
    return text.getvalue()


def _model_cells(model: "Document") -> list[str]:
    shards = model.get("shards") or ({"seen": 1, "count": 1} if model else {})
    return [
        *_cells(model, _MODEL.values()),
        *_cells(model.get("origin") or {}, _ORIGIN.values()),
        *_cells(shards, _SHARDS.values()),
    ]


def _cells(document: "Document", names: Iterable[str]) -> list[str]:
    return [_cell(document.get(name)) for name in names]


def _cell(value: Any) -> str:
    """Empty for what is unknown; text that begins like a formula, also behind spaces, becomes text for good."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    text = printable(str(value))
    return f"'{text}" if text.lstrip(" ")[:1] in _FORMULA and text.strip(" ") else text
