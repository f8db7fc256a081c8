"""The architecture as it stands on disk: one job a file, one test an instance, nothing out of place."""

import ast
import re
from pathlib import Path

import pytest

from modelwarden.daemon.config import config_sample
from modelwarden.probes.render import render_header

ROOT = Path(__file__).parent.parent
ROOMS = ("probes", "daemon", "exporters")
CLI = ROOT / "src" / "modelwarden" / "cli"
LINES_MAX = 300

MODULES = sorted(
    path
    for top in (*(ROOT / room for room in ROOMS), CLI)
    for path in top.rglob("*.py")
    if "__pycache__" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
KERNEL = ROOT / "probes" / "kernel"
CORE_FOLDERS = ("alerts", "identify", "model", "rules")
CORE_FILES = ("command", "event", "pipeline", "policy", "snapshot")
PURE_PROBES = ("modelwarden.probes.candidate", "modelwarden.probes.event", "modelwarden.probes.wire")


def shown(path: Path) -> str:
    """The path as a person reads it in a test's name."""
    return str(path.relative_to(ROOT))


def names_bound(tree: ast.Module) -> set[str]:
    """Names that a module binds with a type at its top level, such as RULE in `RULE: Rule = …`."""
    return {
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def imported(tree: ast.AST) -> set[str]:
    """Every module name that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module if node.level == 0 else "." * node.level + node.module)
    return found


def is_instance(path: Path) -> bool:
    """Whether the file is one that discovery takes, by its typed constant, or a sampled source."""
    if path.stem == "__init__":
        return False
    if path.parent == ROOT / "probes" / "sampled":
        return True
    bound = names_bound(ast.parse(path.read_text()))
    return bool(bound & {"PROBE", "SOURCE", "FORMAT", "RUNTIME", "ORIGIN", "ENGINE", "RULE", "EXPORTER", "COMMAND"})


def is_core(path: Path) -> bool:
    """Whether the module belongs to the pure core."""
    daemon = ROOT / "daemon"
    return any(path.is_relative_to(daemon / folder) for folder in CORE_FOLDERS) or (
        path.parent == daemon and path.stem in CORE_FILES
    )


INSTANCES = [path for path in MODULES if is_instance(path)]


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_opens_with_its_job(path: Path) -> None:
    """A module says its job in one sentence before it says anything else."""
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert doc is not None
    first = doc.split("\n\n")[0]
    assert first.endswith(".")
    assert not re.search(r"[.!?] +[A-Z]", first.replace("e.g. ", "")), "that is more than one sentence"


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=shown)
def test_is_not_too_long(path: Path) -> None:
    """A file that grows past the limit is two files."""
    assert len(path.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", sorted(KERNEL.glob("*.bpf.c")), ids=shown)
def test_c_is_not_too_long(path: Path) -> None:
    """The limit holds for C too."""
    assert len(path.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", INSTANCES, ids=shown)
def test_instance_has_its_test(path: Path) -> None:
    """A probe, source, format, rule, exporter or command has a test of the same name at the same place.

    What a kernel probe does is shown by a running kernel only, so its test may stand in `tests/kernel`.
    """
    folder = path.parent.relative_to(ROOT / "src" / "modelwarden" if path.is_relative_to(CLI) else ROOT)
    folders = [folder, Path("kernel")] if path.parent == KERNEL else [folder]
    assert [f for f in folders if (ROOT / "tests" / f / f"test_{path.name}").is_file()]


def test_instances_are_found() -> None:
    """The test above does not pass because there is nothing to look at."""
    assert {"file_open", "prometheus"} <= {path.stem for path in INSTANCES}


def test_probes_are_pairs() -> None:
    """A kernel probe is two files of one stem."""
    in_c = {path.name.removesuffix(".bpf.c") for path in KERNEL.glob("*.bpf.c")}
    in_python = {path.stem for path in INSTANCES if path.parent == KERNEL}
    assert in_c == in_python


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=shown)
def test_imports_rooms_by_their_full_name(path: Path) -> None:
    """`daemon` belongs to another package; ours is `modelwarden.daemon`."""
    names = imported(ast.parse(path.read_text()))
    assert not [name for name in names if name.startswith(".") or name.split(".")[0] in ROOMS]


@pytest.mark.parametrize("path", [path for path in MODULES if is_core(path)], ids=shown)
def test_core_takes_facts_only(path: Path) -> None:
    """The core takes types and constants from the probes, no function that could look at the world.

    Paths are text to it: `PurePosixPath` at most. What else it may not import is a contract in pyproject.toml.
    """
    tree = ast.parse(path.read_text())
    assert "pathlib" not in {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {alias.name for alias in node.names}
            if node.module == "pathlib":
                assert names <= {"PurePath", "PurePosixPath"}
            elif node.module.startswith("modelwarden.probes") and node.module not in PURE_PROBES:
                assert not [name for name in names if name[0].islower()]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_linked(room: str) -> None:
    """The import package finds each room by a relative symbolic link, which works in any checkout."""
    link = ROOT / "src" / "modelwarden" / room
    assert link.is_symlink()
    assert str(link.readlink()) == f"../../{room}"


@pytest.mark.parametrize("room", [*ROOMS, "src/modelwarden/cli"])
def test_folders_are_packages(room: str) -> None:
    """A folder without `__init__.py` would be missing from a wheel without a word."""
    folders = {path.parent for path in MODULES if path.is_relative_to(ROOT / room)}
    assert [shown(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_header_is_rendered() -> None:
    """The C structs are those of the Python records; `make header` writes them."""
    assert (KERNEL / "events.h").read_text() == render_header()


def test_sample_is_rendered() -> None:
    """The sample configuration shows every setting there is; `make header` writes it."""
    assert (ROOT / "systemd" / "config.toml").read_text() == config_sample()
