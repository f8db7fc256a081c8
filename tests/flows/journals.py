"""Recorded journals and what they give, for the test, for who records them and for who accepts a change."""

import json
from pathlib import Path

from modelwarden.daemon.discover import make_core
from modelwarden.daemon.journal_file import JournalFile
from modelwarden.daemon.replay import replay

FOLDER = Path(__file__).parent
JOURNALS = sorted(path for path in FOLDER.iterdir() if path.name.endswith((".jsonl", ".jsonl.gz")))


def expected(path: Path) -> Path:
    """The file beside a journal that says what it gives."""
    return path.with_name(f"{path.name.partition('.')[0]}.expected.json")


def render(path: Path) -> str:
    """What a journal gives under all rules there are."""
    done = replay(JournalFile(path), make_core())
    found = {"failed": done.failed, "alerts": done.alerts(), "census": done.census()}
    return json.dumps(found, indent=1) + "\n"
