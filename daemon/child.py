"""Starts a child program that takes along nothing but this daemon's modules and the descriptors that it is given."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def start_child(boot: str, arguments: Sequence[str], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """Runs `boot`; `sys.argv` has the arguments, then the entries of the module search path. `OSError` when it cannot.

    -I and -S keep the environment, .pth files and sitecustomize out, and 4 MB with them.
    """
    search_path = [entry for entry in sys.path if Path(entry).is_absolute()]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", boot, *arguments, *search_path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        cwd="/",
        env={},
        start_new_session=True,
    )
