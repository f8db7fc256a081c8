"""Discovery: one file is one instance, and a hole in the list is an error."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwarden.probes.discover import discover


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """An importable package `zoo` with a contract, two instances and a folder."""
    root = tmp_path / "zoo"
    (root / "shared").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "shared" / "__init__.py").write_text("raise RuntimeError('looked into')")
    (root / "animal.py").write_text("")
    (root / "zebra.py").write_text("ANIMAL = 'zebra'")
    (root / "ape.py").write_text("ANIMAL = 'ape'")
    sys.path.insert(0, str(tmp_path))
    yield root
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "zoo"]:
        del sys.modules[name]


def test_takes_every_module_in_order(package: Path) -> None:
    """Instances come in the order of their names; the contract and folders are no instances."""
    assert discover("zoo", "ANIMAL", skip=("animal",)) == ("ape", "zebra")


def test_names_a_module_without_the_attribute(package: Path) -> None:
    """A module that does not end in its instance is an error."""
    with pytest.raises(ImportError, match=r"zoo\.animal does not end in `ANIMAL"):
        discover("zoo", "ANIMAL")


def test_names_a_module_that_fails(package: Path) -> None:
    """A module that cannot be imported is an error, whatever it raises."""
    (package / "bat.py").write_text("1 / 0")
    with pytest.raises(ImportError, match=r"zoo\.bat cannot be imported: division by zero"):
        discover("zoo", "ANIMAL", skip=("animal",))


def test_skips_nothing_that_is_not_there(package: Path) -> None:
    """A name to skip that no module has was forgotten in a renaming."""
    with pytest.raises(ImportError, match="beast"):
        discover("zoo", "ANIMAL", skip=("animal", "beast"))
