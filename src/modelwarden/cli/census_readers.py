"""Says which workloads have read which model, and whose they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

_Place = tuple[object, object]
"""The path with the size: in two containers the same path may be two files."""


class Readers:
    """The workloads by the files that they have read."""

    def __init__(self, workloads: Iterable["Document"]) -> None:
        self._by_place: defaultdict[_Place, dict[int, Document]] = defaultdict(dict)
        for number, workload in enumerate(workloads):
            for model in workload.get("models") or ():
                for place in _places(model):
                    self._by_place[place][number] = workload

    def of(self, model: "Document") -> list["Document"]:
        """Who has read a model, or one of its files; each once, in the order of the workloads."""
        found: dict[int, Document] = {}
        for place in _places(model):
            if place in self._by_place:
                found |= self._by_place[place]
        return [found[number] for number in sorted(found)]


def _places(model: "Document") -> Iterator[_Place]:
    if model.get("shards"):
        for file in model["shards"]["files"]:
            yield file["path"], file["size"]
    else:
        for path in {model.get("path"), *(model.get("paths") or ())}:
            yield path, model.get("size")


def user_of(workload: "Document") -> str:
    """Whose workload it is, by name, else by number."""
    user, uid = workload.get("user"), workload.get("uid")
    if user and user != str(uid):
        return str(user)
    return "unknown user" if uid is None else f"uid {uid}"


def belongs_to(workload: "Document", users: Collection[str]) -> bool:
    """Whether it runs as one of these users (names or numbers), or one of them logged in for it."""
    return not {str(workload.get(name)) for name in ("user", "uid", "login_user")}.isdisjoint(users)
