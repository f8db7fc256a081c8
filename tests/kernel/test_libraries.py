"""Libraries that do machine learning: who loads one is told, once, whatever the inspector says of the file."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernel.holding import LIBRARIES, Stage, holding
from tests.kernel.watch import Watch

from modelwarden.probes.candidate import LIKE_A_MODEL, Candidate
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel_side import Kernel

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
PROCESSES = 11


@pytest.fixture
def kernel(either_kernel: Kernel) -> Kernel:
    """The kernel side, told of two libraries."""
    either_kernel.name_libraries(LIBRARIES)
    return either_kernel


@pytest.fixture
def stage(kernel: Kernel) -> Iterator[Stage]:
    """Processes that hold files."""
    with holding(kernel) as stage:
        yield stage


def load(*paths: Path, times: int = 1) -> None:
    """Another process opens files to read them."""
    code = "import sys\nfor path in sys.argv[1:]: open(path).close()"
    for _ in range(times):
        subprocess.run([sys.executable, "-S", "-c", code, *paths], check=True)


@pytest.mark.parametrize("name", ["libonnxruntime.so", "libonnxruntime.so.1.20.0", "libonnxrY.SO"])
def test_each_process_that_loads_one_is_told(kernel: Kernel, watch: Watch, make_file: MakeFile, name: str) -> None:
    """Eleven processes are eleven events, and several opens by one are one."""
    path = make_file(name)

    load(path, path, path, times=PROCESSES)

    opens = watch.opens(path)
    assert len({one.pid for one in opens}) == len(opens) == PROCESSES
    assert {one.reasons for one in opens} == {Candidate.LIBRARY}


def test_other_libraries_are_not(kernel: Kernel, watch: Watch, make_file: MakeFile) -> None:
    """Neither another library, nor what only begins like one."""
    for name in ("libc.so.6", "libonnx.so", "libonnxruntime.py", "libonnxruntime", "x.so"):
        load(make_file(name))

    assert [one.path for one in watch.of(FileOpened)] == []


def test_one_that_is_known_to_be_no_model(kernel: Kernel, watch: Watch, make_file: MakeFile) -> None:
    """What is large is inspected as well, and the answer silences the size, not the name."""
    path = make_file("libtorch_cpu.so", 64 << 20)
    load(path)
    (first,) = watch.opens(path)
    kernel.remember(first.device, first.inode, first.size, first.ctime_ns, is_model=False)

    load(path)

    _, second = watch.opens(path)
    assert first.reasons & LIKE_A_MODEL
    assert second.reasons & Candidate.LIBRARY


def test_what_was_loaded_before_us(stage: Stage, make_file: MakeFile) -> None:
    """A look at the system shows who has one in its memory."""
    path = make_file("libonnxruntime.so.1", 4096)

    pid = stage.hold("mapped", path)

    assert [(one.path, one.reasons) for one in stage.held(pid)] == [(str(path), Candidate.LIBRARY)]
