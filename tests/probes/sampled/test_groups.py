"""Cgroups get their names before anybody speaks of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kit import executed, process_found, tick

from modelwarden.probes.cgroups import hierarchy
from modelwarden.probes.sampled.groups import GroupFound, Groups

pytestmark = pytest.mark.root


@pytest.fixture
def folder() -> Iterator[Path]:
    """A cgroup of our own in the real hierarchy."""
    root = hierarchy()
    if root is None or os.geteuid() != 0 or not os.access(root, os.W_OK):
        pytest.skip("needs root and a cgroup v2 hierarchy that can be written to")
    made = root / f"modelwarden-test-{os.getpid()}.slice" / "llama.service"
    made.mkdir(parents=True)
    yield made
    if made.exists():
        made.rmdir()
    made.parent.rmdir()


@pytest.fixture
def groups() -> Iterator[Groups]:
    """What is asked."""
    one = Groups()
    yield one
    one.close()


def test_names_a_cgroup_before_the_event(groups: Groups, folder: Path) -> None:
    """The path is that below the root of the hierarchy, wherever this is mounted."""
    event = executed(cgroup=folder.stat().st_ino)

    named, same = groups.named([event])

    assert named == GroupFound(event.at, event.cgroup, f"/{folder.parent.name}/llama.service")
    assert same is event


def test_names_it_once(groups: Groups, folder: Path) -> None:
    """Later events of the same cgroup pass as they are, also those of a look at the system."""
    number = folder.stat().st_ino
    groups.named([executed(cgroup=number)])
    events = [executed(cgroup=number), process_found(cgroup=number), tick()]

    assert groups.named(events) == events


def test_one_that_is_gone_has_no_name(groups: Groups, folder: Path) -> None:
    """A container that ended meanwhile costs nothing but its name."""
    number = folder.stat().st_ino
    folder.rmdir()

    assert groups.named([executed(cgroup=number)]) == [executed(cgroup=number)]


def test_finds_the_hierarchy_where_it_is_mounted(tmp_path: Path) -> None:
    """On hybrid systems it is not at the usual place."""
    mounts = tmp_path / "mounts"
    mounts.write_text("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid 0 0\n")

    assert hierarchy(mounts) == Path("/sys/fs/cgroup/unified")


def test_a_system_without_the_hierarchy(tmp_path: Path) -> None:
    """Nothing is named, nothing fails."""
    assert hierarchy(tmp_path / "none") is None
