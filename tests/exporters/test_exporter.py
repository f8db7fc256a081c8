"""What every exporter keeps to, whichever it is."""

import importlib
import pkgutil

from modelwarden import exporters
from modelwarden.daemon.snapshot import Snapshot
from modelwarden.exporters.exporter import ExporterType


def exporter_types() -> list[ExporterType]:
    """The exporters of the folder, as discovery finds them."""
    modules = [
        importlib.import_module(f"{exporters.__name__}.{m.name}") for m in pkgutil.iter_modules(exporters.__path__)
    ]
    return [module.EXPORTER for module in modules if hasattr(module, "EXPORTER")]


def test_paths_have_one_owner() -> None:
    """No two exporters answer the same path, and each path is absolute."""
    empty = Snapshot("2026-01-01T00:00:00Z", "0" * 32)
    paths = [path for made in exporter_types() for path in made(lambda: empty).routes()]
    assert sorted(paths) == ["/healthz", "/metrics", "/readyz"]
