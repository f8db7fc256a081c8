"""The cache of the Hugging Face hub, which llama.cpp, vLLM, transformers and many more write.

Source: huggingface_hub's `file_download.py` (`repo_folder_name`, `_create_symlink`), its guide "Manage your cache", and
llama.cpp's `common/hf-cache.cpp`. The hub's folder has `models--<org>--<name>/{refs,blobs,snapshots}`; what is in a
snapshot links to a blob, and the kernel reports an open of the blob. Blobs are named by SHA-256 (large files) or by
git's SHA-1.
"""

import re
from collections.abc import Iterator, Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import card_license, sha256
from modelwarden.daemon.identify.origins.reading.paths import followed, location, parts_of
from modelwarden.daemon.identify.reading.folder import Folder

LOOKS_LIMIT = 1200
"""Links and folders that are looked at for one file: repositories have some dozens."""
DEPTH_LIMIT = 5
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)


class HuggingFace:
    """A repository's folder tells it by its shape, wherever `HF_HOME` or `HF_HUB_CACHE` moved the hub's."""

    name = "huggingface"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Blobs and what stands in snapshots, of models: data sets and spaces have folders of other names."""
        parts = parts_of(path)
        for first in range(len(parts) - 3, -1, -1):
            if parts[first].startswith("models--"):
                kind, depth = parts[first + 1], len(parts) - first
                is_file = (kind == "blobs" and depth == 3) or (kind == "snapshots" and depth >= 4)
                return location(parts, first) if is_file else None
        return None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """Repository, commit, the file's name in it, its licence."""
        folder, kind, _ = location.inside.split("/", 2)
        repository = folder.removeprefix("models--").replace("--", "/")
        if not repository.strip("/") or repository.count("/") > 1:
            return None
        if kind == "blobs":
            blob, shown = location.inside, _link_to(store, folder, location.inside)
        else:
            blob, shown = followed(location.inside, store.target(location.inside)) or "", location.inside
        _, _, commit, file = shown.split("/", 3) if shown else (None,) * 4
        return Source(
            self.name,
            repository=repository,
            revision=commit if commit and _COMMIT.fullmatch(commit) else None,
            file=file,
            license=_license(store, f"{folder}/snapshots/{commit}") if commit else None,
            digest=sha256(blob.removeprefix(f"{folder}/blobs/")),
            shown=shown,
        )


def _link_to(store: Folder, folder: str, blob: str) -> str | None:
    """The link in a snapshot that leads to the blob; what `main` means comes first of several."""
    main = (store.read(f"{folder}/refs/main", 100) or b"").decode("utf-8", "replace").strip()
    commits = sorted(store.names(f"{folder}/snapshots"), key=lambda commit: (commit != main, commit))
    looks = iter(range(LOOKS_LIMIT))
    for commit in commits:
        for link, target in _links(store, f"{folder}/snapshots/{commit}", looks):
            if followed(link, target) == blob:
                return link
    return None


def _links(store: Folder, top: str, looks: Iterator[int]) -> Iterator[tuple[str, str]]:
    """The links in a snapshot with their targets, folder by folder, the higher ones first."""
    folders = [top]
    for folder in folders:
        for name in store.names(folder):
            if next(looks, None) is None:
                return
            path = f"{folder}/{name}"
            target = store.target(path)
            if target is not None:
                yield path, target
            elif path.count("/") - top.count("/") < DEPTH_LIMIT:
                folders.append(path)  # or a file, in which nothing will be found


def _license(store: Folder, snapshot: str) -> str | None:
    card = f"{snapshot}/README.md"
    target = store.target(card)
    return card_license(store.read(card if target is None else followed(card, target) or card))


ORIGIN: Origin = HuggingFace()
