"""Finds the cgroup v2 hierarchy, in which every process has its place."""

from pathlib import Path


def hierarchy(mounts: Path = Path("/proc/self/mounts")) -> Path | None:
    """Where the cgroup v2 hierarchy is mounted, `None` where it is not: on hybrid systems not at the usual place."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for fields in (line.split() for line in lines):
        if len(fields) > 2 and fields[2] == "cgroup2":
            return Path(fields[1])
    return None
