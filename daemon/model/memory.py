"""What an earlier run of the daemon had seen, kept until the same things are seen again."""

from dataclasses import dataclass, field
from typing import Protocol

from modelwarden.daemon.event import FileIdentity, Remembered
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.times import from_rfc3339


class _ModelEntry(Protocol):
    file: FileIdentity
    path: str
    paths: list[str]
    first_seen_ns: int
    opens: int


class _WorkloadEntry(Protocol):
    id: str
    first_seen_ns: int
    why: list[str]
    earlier_models: tuple[Document, ...]


@dataclass(slots=True)
class Memory:
    """Documents of the state by key; one that makes no sense is passed over, for a file can be edited."""

    _models: dict[str, Document] = field(default_factory=dict)
    _workloads: dict[str, Document] = field(default_factory=dict)

    def recall(self, event: Remembered) -> None:
        """Takes in what an earlier run had stored."""
        self._models = dict(event.models)
        documents: tuple[object, ...] = event.workloads
        self._workloads = {str(one.get("id")): one for one in documents if isinstance(one, dict)}

    def restore_model(self, entry: _ModelEntry) -> None:
        """Lets an entry go on counting where the earlier run stopped, if it is the same file by all signs."""
        known = self._models.pop(f"{entry.file.device}:{entry.file.inode}", {})
        try:
            if known["size"] == entry.file.size and entry.path in known["paths"]:
                entry.first_seen_ns, entry.opens = from_rfc3339(known["first_seen"]), int(known["opens"])
                entry.paths = [*(str(path) for path in known["paths"] if path != entry.path), entry.path]
        except (KeyError, OverflowError, TypeError, ValueError):
            return

    def restore_workload(self, entry: _WorkloadEntry) -> None:
        """Gives a workload its history back."""
        known = self._workloads.pop(entry.id, {})
        try:
            entry.first_seen_ns = from_rfc3339(known["first_seen"])
            entry.why = [str(reason) for reason in known["why"]]
            entry.earlier_models = tuple(model for model in known["models"] if isinstance(model, dict))
        except (KeyError, TypeError, ValueError):
            return
