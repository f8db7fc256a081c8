"""Real probes in the running kernel, for tests that do a known thing and expect exactly its events."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernel.watch import Watch, all_but, hooks_of, load_or_skip

from modelwarden.probes.kernel.file_open import PROBE as FILE_OPEN
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.tracepoint import events_folder


@pytest.fixture(scope="session", autouse=True)
def tracefs() -> Iterator[None]:
    """Mounts tracefs where nobody has, as systemd does on a workstation; takes it away again."""
    wanted = not os.environ.get("MODELWARDEN_NO_TRACEFS")
    mounted = wanted and os.geteuid() == 0 and events_folder() is None
    if mounted:
        subprocess.run(["/bin/mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=False)
    yield
    if mounted:
        subprocess.run(["/bin/umount", "-l", "/sys/kernel/tracing"], check=False)


@pytest.fixture(scope="session", params=hooks_of(FILE_OPEN), ids=str)
def either_kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """All probes, with `file_open` by each of its hooks."""
    kernel = load_or_skip(all_but(FILE_OPEN, request.param))
    yield kernel
    kernel.close()


@pytest.fixture
def watch(either_kernel: Kernel) -> Watch:
    """What happens from now on; the test's own process is visible, and not marked."""
    either_kernel.watch(os.getpid(), 0, watched=False)
    watch = Watch(either_kernel)
    watch.repetitions()
    watch.lost()
    watch.events.clear()
    return watch


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a file of a name and a size without opening it, sparse where it is large."""

    def make(name: str, size: int = 100, folder: Path = tmp_path) -> Path:
        path = folder / name
        os.mknod(path, 0o600 | stat.S_IFREG)
        os.truncate(path, size)
        return path

    return make
