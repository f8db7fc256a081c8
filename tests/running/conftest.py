"""One daemon for the tests that only open files."""

from collections.abc import Iterator

import pytest
from tests.running.daemon import Daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all tests of a file: two at a time would see each other's inspectors read."""
    one = Daemon(tmp_path_factory.mktemp("daemon")).start()
    yield one
    assert one.stop() == 0
