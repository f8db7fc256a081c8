"""What tests of every room may ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.running.daemon import Daemon


@pytest.fixture
def make_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """A daemon for one test, in a folder of the test's; ended in any case."""
    made: list[Daemon] = []

    def make(folder: Path = tmp_path, **options: Any) -> Daemon:
        made.append(Daemon(folder, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()
