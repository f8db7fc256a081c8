"""Takes people and places out of events, so that a journal can be shared and still gives the same findings."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import Enum
from typing import Any, TypeVar, cast

import msgspec

from modelwarden.daemon.alerts.correlate import alert_id
from modelwarden.daemon.event import Remembered, Started, UserNamed
from modelwarden.daemon.model.workloads import program_workload
from modelwarden.daemon.pseudonyms import Pseudonyms
from modelwarden.daemon.snapshot import Document
from modelwarden.probes.event import Event

KEY_BYTES = 32

_EventT = TypeVar("_EventT", bound=Event)

_WAYS: Mapping[str, Callable[[Pseudonyms, str], str]] = {
    **dict.fromkeys(("path", "paths", "exe", "source", "cgroup"), Pseudonyms.path),
    **dict.fromkeys(
        ("reason", "problem", "what", "why", "findings", "title", "what_to_do", "untried"), Pseudonyms.prose
    ),
    **dict.fromkeys(
        (
            *("format", "rule", "severity", "status", "tier", "verdict", "techniques", "runtime", "engine"),
            *("kind", "role", "place", "probe", "proven", "blind", "digest", "sha256", "models"),
        ),
        Pseudonyms.term,
    ),
    **dict.fromkeys(("GroupFound.path", "unit", "application", "container", "Container.id"), Pseudonyms.group),
    **dict.fromkeys(("user", "login_user", "UserNamed.name"), Pseudonyms.user),
    **dict.fromkeys(("host_id", "boot_id", "owner", "ModelApproval.reason"), Pseudonyms.name),
    **dict.fromkeys(
        (
            *(f"{owner}.name" for owner in ("Identity", "Source", "ModelApproval", "model", "models")),
            *("architecture", "quantization", "license", "tensor_types"),
            *("repository", "revision", "Source.file", "ModelApproval.origin"),
        ),
        Pseudonyms.claim,
    ),
}
"""How a text is treated, by its field, or by its owner's name and its field; all others as what is not known."""


class Redactor:
    """One journal's replacements: the same text is replaced by the same, as long as this object lives.

    What stays are numbers, times, what everybody knows, and what models say of themselves. Who is to be replaced in
    the latter has to be known before: `people`, and whoever was in an event that was `learn`ed or redacted.
    """

    def __init__(self, key: bytes | None = None, people: Iterable[str] = ()) -> None:
        self._pseudonyms = Pseudonyms(key or secrets.token_bytes(KEY_BYTES), people)
        self._host_id = ""
        self._workloads: dict[str, str] = {}

    def learn(self, event: Event) -> None:
        """Takes note of the people in an event that will be redacted later."""
        if isinstance(event, UserNamed) and event.name:
            self._pseudonyms.meet(event.name)
        self._meet(event, "")

    def redact(self, event: _EventT) -> _EventT:
        """The event without people and places."""
        self.learn(event)
        if isinstance(event, Started):
            self._host_id = event.host_id
        if isinstance(event, Remembered):
            return cast("_EventT", self._remembered(event))
        return cast("_EventT", self._value(event, "", ""))

    def _meet(self, value: Any, name: str) -> None:
        if isinstance(value, str):
            if name in {"user", "login_user"} and not value.isdigit():
                self._pseudonyms.meet(value)
            self._pseudonyms.meet_homes(value)
        elif isinstance(value, dict):
            for key, one in value.items():
                self._meet(one, str(key))
        elif isinstance(value, tuple | list | frozenset):
            for one in value:
                self._meet(one, name)
        elif isinstance(value, msgspec.Struct) or is_dataclass(value):
            for key in _names(value):
                self._meet(getattr(value, key), key)

    # ---- values --------------------------------------------------------------------------------------

    def _value(self, value: Any, owner: str, name: str) -> Any:
        if value is None or isinstance(value, Enum | int | float | date):
            return value
        if isinstance(value, str):
            return self._text(value, owner, name)
        if name == "arguments":
            return self._pseudonyms.arguments(value)
        if isinstance(value, dict):
            return {self._pseudonyms.term(key): self._value(one, name, key) for key, one in value.items()}
        if isinstance(value, tuple | list | frozenset):
            return type(value)(self._value(one, owner, name) for one in value)
        if isinstance(value, msgspec.Struct) or is_dataclass(value):
            kind: type[Any] = type(value)
            found = {key: self._value(getattr(value, key), kind.__name__, key) for key in _names(value)}
            return kind(**found)
        raise TypeError(f"{owner}.{name} is a {type(value).__name__}: nobody has said how that is redacted")

    def _text(self, text: str, owner: str, name: str) -> str:
        if name == "cmdline":
            return " ".join(self._pseudonyms.arguments(text.split(" ")))
        if name == "subject":
            return self._subject(text)
        way = _WAYS.get(f"{owner}.{name}") or _WAYS.get(name) or Pseudonyms.text
        return way(self._pseudonyms, text)

    def _subject(self, text: str) -> str:
        """Of an alert: `model:gguf:its name`, `model:/its/path`."""
        match text.split(":", 2):
            case ["model", kind, name] if self._pseudonyms.term(kind) == kind:
                return f"model:{kind}:{self._pseudonyms.claim(name)}"
            case ["model", *_] if text.startswith("model:/"):
                return f"model:{self._pseudonyms.path(text.removeprefix('model:'))}"
        return self._pseudonyms.text(text)

    # ---- documents of an earlier run -----------------------------------------------------------------

    def _remembered(self, event: Remembered) -> Remembered:
        """Their identifiers are made from what is replaced, so they are made anew: else nothing would be recognised."""
        return replace(
            event,
            models=self._value(event.models, "", "models"),
            workloads=tuple(self._workload(one) for one in event.workloads),
            alerts=tuple(self._alert(one) for one in event.alerts),
        )

    def _workload(self, document: Document) -> Document:
        found: Document = self._value(document, "", "workloads")
        old, new = str(document.get("id")), self._derived("w", document.get("id"))
        uid, exe, processes = (document.get(key) for key in ("uid", "exe", "processes"))
        if isinstance(uid, int) and isinstance(exe, str):
            unit = str(document["unit"]) if document.get("unit") else None
            lines = [one.get("cmdline") for one in processes or () if isinstance(one, dict)]
            for words in [(), *(tuple(line.split(" ")) for line in lines if isinstance(line, str))]:
                if program_workload(self._host_id, uid, exe, words, unit) == old:
                    host_id = self._pseudonyms.name(self._host_id)
                    there, said = self._pseudonyms.path(exe), self._pseudonyms.arguments(words)
                    new = program_workload(host_id, uid, there, said, found.get("unit"))
                    break
        self._workloads[old] = new
        return {**found, "id": new}

    def _alert(self, document: Document) -> Document:
        found: Document = self._value(document, "", "alerts")
        old = str(document.get("workload"))
        workload = self._workloads.get(old) or self._derived("w", old)
        rule, subject = str(document.get("rule")), str(document.get("subject"))
        new = self._derived("a", document.get("id"))
        if alert_id(self._host_id, old, rule, subject) == document.get("id"):
            host_id = self._pseudonyms.name(self._host_id)
            new = alert_id(host_id, workload, rule, self._text(subject, "", "subject"))
        return {**found, "id": new, "workload": workload}

    def _derived(self, prefix: str, old: object) -> str:
        return f"{prefix}-{self._pseudonyms.digest(str(old))[:12]}"


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    return tuple(field.name for field in fields(value))
