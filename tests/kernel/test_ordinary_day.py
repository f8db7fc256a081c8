"""What people do all day, with no model in it: nothing of it is taken for one, and nobody is watched."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.kernel.file_change import FileChanged
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.tables import Table

pytestmark = pytest.mark.bpf

FILES = 3000
DAY = """
set -e
cd "$1"
find /usr/bin /usr/sbin /usr/lib -xdev -type f -size -8000k -print0 | head -z -n "$2" | xargs -0 cat > everything
tar cf packages.tar -C /usr/lib/python3 dist-packages
gzip -1 packages.tar
tar xzf packages.tar.gz
"$3" -S -m compileall -q dist-packages/bcc
cp -r dist-packages copied
mv copied moved
ln everything linked
ln -s everything symbolic
dpkg-query -l > installed
grep -rc import moved > counts || true
sort counts | uniq | wc -l > count
rm -r moved dist-packages linked symbolic
"""
SURE = Candidate.STRONG_SUFFIX | Candidate.KNOWN_MODEL | Candidate.WATCHED | Candidate.NAMED_FILE
"""What would mark a process, shows that it is marked, or is told whatever the file is."""


def test_an_ordinary_day(watch: Watch, tmp_path: Path) -> None:
    """Thousands of files are read, packed, copied and removed; a few are looked into, nobody is marked."""
    day = subprocess.Popen(["/bin/sh", "-c", DAY, "sh", tmp_path, str(FILES), sys.executable])
    while day.poll() is None:
        watch.drain()
        with suppress(subprocess.TimeoutExpired):
            day.wait(0.05)
    assert day.returncode == 0

    workers = {day.pid}
    for event in watch.of(ProcessForked):  # in order: parents before their children
        if event.pid in workers:
            workers.add(event.child_pid)
    theirs = [event for event in watch.of(TaskEvent) if event.pid in workers]
    told = [event for event in theirs if isinstance(event, FileOpened | FileMapped | FileChanged)]
    assert len(workers) > 10
    assert [event for event in told if event.reasons & SURE] == []
    assert len(told) < FILES / 20
    assert [pid for pid in workers if watch.kernel.maps[Table.MARKS].lookup(pid.to_bytes(4, "little"))] == []
    assert watch.lost() == 0
