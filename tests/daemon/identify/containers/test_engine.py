"""All engines together: what each must keep to, whatever a cgroup or a document claims."""

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cgroups import HOME, ID, OTHER, RUN, described, documents

from modelwarden.daemon.identify.containers.engine import Container, Engine
from modelwarden.daemon.identify.containers.reading.documents import DOCUMENT_BYTES_MAX
from modelwarden.probes.discover import discover

ALL = cast("tuple[Engine, ...]", discover("modelwarden.daemon.identify.containers", "ENGINE", skip=("engine",)))
ONES = pytest.mark.parametrize("engine", ALL, ids=lambda engine: engine.name)
PIECES = st.sampled_from(
    ["docker", "lxc", ID, OTHER, f"libpod-{ID}.scope", "machine-a.scope", "..", "", "\udcff", "\n", "\\x"]
)
LIES = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"Name":1,"Config":[]}',
    b'{"annotations":null}',
    b'{"annotations":{"nerdctl/name":{}}}',
    b'[{"id":"' + ID.encode() + b'","names":[],"metadata":"{"}]',
    b'{"Name":"\xff"}',
    b"[" + b"{}," * 2_000_000 + b"{}]",
    b" " * (DOCUMENT_BYTES_MAX + 1),
]


def test_names_are_one_engine_s() -> None:
    """A container's engine is one."""
    assert len({engine.name for engine in ALL}) == len(ALL)


@ONES
@given(st.lists(PIECES, max_size=8))
def test_any_path_has_an_answer(engine: Engine, pieces: list[str]) -> None:
    """No cgroup makes an engine fail."""
    found = engine.container("/" + "/".join(pieces))
    assert found is None or (found.engine == engine.name and 0 < len(found.id) <= 200)


@ONES
@pytest.mark.parametrize("cgroup", ["", "/", "/init.scope", f"/{ID}", "/user.slice/user-1000.slice/session-3.scope"])
def test_others_are_no_containers(engine: Engine, cgroup: str) -> None:
    """The root, a session and a bare number are nobody's."""
    assert engine.container(cgroup) is None


@ONES
@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_a_lying_document_says_nothing(engine: Engine, lie: bytes) -> None:
    """What is no document of the engine, too deep, too large or of other types is passed over."""
    found = described(engine, lie)
    assert found is None or (found.name, found.image) == (None, None)


@ONES
@settings(max_examples=50)
@given(st.binary(max_size=64))
def test_any_document_has_an_answer(engine: Engine, document: bytes) -> None:
    """Bytes at random are borne."""
    described(engine, document)


@ONES
@pytest.mark.parametrize(
    "container_id", ["", "..", "../../etc", f"{ID}/x", ID.upper(), ID[:-1] + "\n", f"{ID}\0", "a" * 63]
)
def test_no_other_identifier_becomes_a_path(engine: Engine, container_id: str) -> None:
    """Only what the engine itself can have given leads to a file."""
    assert documents(engine, container_id) == ()
    assert documents(engine, container_id, home=True) == ()


@ONES
def test_a_user_s_files_are_below_his_folders(engine: Engine) -> None:
    """A user's cgroup is never described by root's files, nor the other way."""
    container = Container(engine.name, ID)
    assert all(path.startswith((f"{HOME}/", f"{RUN}/")) for path in engine.documents(container, HOME, RUN))
    assert all(path.startswith(("/var/lib/", "/run/containers/", "/run/containerd/")) for path in documents(engine))
