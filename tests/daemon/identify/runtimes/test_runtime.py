"""All runtimes together: what each must keep to, whatever a process claims."""

import re
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.programs import PYTHON, SHELL

from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime
from modelwarden.probes.discover import discover

ALL = cast("tuple[Runtime, ...]", discover("modelwarden.daemon.identify.runtimes", "RUNTIME", skip=("runtime",)))
ONES = pytest.mark.parametrize("runtime", ALL, ids=lambda runtime: runtime.name)
WORDS = st.sampled_from(
    [
        "serve",
        "run",
        "-m",
        "--model",
        "x.gguf",
        "main.py",
        "vllm",
        "ollama",
        "a.llamafile",
        "\udcff",
        "\x1b[2J",
        "-c",
        "=",
        "-",
    ]
)
PATHS = st.sampled_from([PYTHON, "/bin/ollama", "/bin/llama-server", "/lib/ld.so", "/tmp/.mount_Jan/Jan", "", None])
PROGRAMS = st.builds(
    Program,
    PATHS,
    st.lists(WORDS | st.text(max_size=5), max_size=6).map(tuple),
    st.frozensets(st.sampled_from(["libllama.so", "libtorch_cpu.so", "\udcff", ""]), max_size=2),
    st.sampled_from([None, "ollama.service", ""]),
    st.sampled_from([None, "", ":", "@", "/", "ollama/ollama:1@sha256:0", "\udcff"]),
)


def test_names_are_one_runtime_s() -> None:
    """A policy that names a runtime means one."""
    names = [runtime.name for runtime in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) for name in names)


@ONES
def test_libraries_are_long_enough_for_the_kernel(runtime: Runtime) -> None:
    """The kernel compares the first eight characters, so that each beginning has them."""
    assert all(len(library) >= 8 for library in runtime.libraries)


@ONES
def test_nothing_is_recognised_in_nothing(runtime: Runtime) -> None:
    """No process, a process of which nothing is known, and a shell belong to nobody."""
    assert runtime.recognises(()) is None
    assert runtime.recognises((Program(None),)) is None
    assert runtime.recognises((Program(PYTHON, ("python3",)),)) is None
    assert runtime.recognises((SHELL, SHELL)) is None


@ONES
@settings(max_examples=60)
@given(lineage=st.lists(PROGRAMS, min_size=1, max_size=4).map(tuple))
def test_any_claim_has_an_answer(runtime: Runtime, lineage: tuple[Program, ...]) -> None:
    """No argument, library, unit or image makes a recogniser fail, and what it says is bounded."""
    found = runtime.recognises(lineage)
    if found is not None:
        assert isinstance(found, Recognition)
        assert 0 <= found.head < len(lineage)
        assert 1 <= found.strength <= 3
        assert 0 < len(found.evidence) < 1000


@ONES
def test_giant_claims_are_borne(runtime: Runtime) -> None:
    """A hundred thousand arguments of one character and one of a million are no more than others."""
    long = "x" * 1_000_000
    for path in (PYTHON, "/bin/ollama", long):
        for arguments in (("-",) * 100_000, (long, long, long)):
            lineage = (Program(path, arguments),) * 40
            assert runtime.recognises(lineage) is None
