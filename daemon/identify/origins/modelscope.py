"""The cache of ModelScope.

Source: `modelscope_hub/_download.py` of 0.5 (`models/<owner>--<name>/snapshots/<revision>/…`) and, for what older
versions left, `modelscope/hub/utils/utils.py` of 1.40 (`find_reusable_legacy_repo_dir`): `models/<owner>/<name>/…` and
`<owner>/<name>/…`, a dot in a name written as `___`. The cache is `$MODELSCOPE_CACHE`, else `~/.cache/modelscope` or
`~/.cache/modelscope/hub`.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import card_license
from modelwarden.daemon.identify.origins.reading.paths import after, below, variable
from modelwarden.daemon.identify.reading.folder import Folder

NO_MODELS = ("datasets", "hub", "models", "ast_indexer", "credentials")


class ModelScope:
    """The folder of the default and the one that a variable names."""

    name = "modelscope"
    variables: tuple[str, ...] = ("MODELSCOPE_CACHE",)

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Whole files of a repository, in any of the layouts."""
        moved = variable(environment, "MODELSCOPE_CACHE")
        found = (
            after(path, "modelscope", "hub", "models")
            or after(path, "modelscope", "models")
            or after(path, "modelscope", "hub")
            or below(path, (variable(environment, "MODELSCOPE_CACHE", "models"), moved))
        )
        return found if found is not None and _split(found.inside) is not None else None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """The repository with dots where its name has them, the revision where the layout tells, the licence."""
        parts = _split(location.inside)
        if parts is None:
            return None
        folder, owner, name, revision, file = parts
        card = store.read(f"{folder}/README.md")
        return Source(self.name, f"{owner}/{name}", revision, file, license=card_license(card))


def _split(inside: str) -> tuple[str, str, str, str | None, str] | None:
    """Folder, owner, name, revision, file; `None` for what is no file of a model."""
    first, *rest = inside.split("/")
    owner, double, name = first.partition("--")
    if first in NO_MODELS or first.startswith(".") or "._____temp" in rest:
        return None
    if double and len(rest) >= 3 and rest[0] == "snapshots":
        return f"{first}/snapshots/{rest[1]}", owner, name, rest[1], "/".join(rest[2:])
    if len(rest) < 2:
        return None
    return f"{first}/{rest[0]}", first, rest[0].replace("___", "."), None, "/".join(rest[1:])


ORIGIN: Origin = ModelScope()
