"""A journal of the real daemon: it gives what the daemon stored, to the byte."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import models
from tests.running.daemon import COMMAND, Daemon

pytestmark = pytest.mark.bpf

MakeDaemon = Callable[..., Daemon]
POLICY = '[models]\n[[models.approved]]\nname = "approved-*"\nowner = "zq7owner"\n'
HOLD = "import sys, time; held = open(sys.argv[1], 'rb'); time.sleep(60)"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A home of somebody with models: pytest's own folders have names that everybody knows."""
    made = Path("/var/tmp") / f"modelwarden-test-{os.getpid()}" / "home" / "zqperson"
    made.mkdir(parents=True)
    models.write_gguf(made / "tiny.gguf", name="tiny-random", file_type=1)
    models.write_gguf(made / "zq7file.gguf", name="approved-one", file_type=1)
    models.write_safetensors(made / "zq7file.safetensors")
    yield made
    shutil.rmtree(made.parents[1])


def replayed(journal: Path, *more: str, seed: str = "0") -> bytes:
    """What `modelwarden replay` prints as JSON."""
    return subprocess.run(
        [*COMMAND, "replay", journal, "--json", *more],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    ).stdout


def stored(daemon: Daemon, command: str) -> bytes:
    """What a command prints as JSON about the daemon's state."""
    return subprocess.run(
        [*COMMAND, command, "--json", "--state-dir", daemon.state], check=True, capture_output=True
    ).stdout


def cat(path: Path, count: int = 1) -> None:
    """A reader that is gone at once."""
    for _ in range(count):
        subprocess.run(["/bin/cat", path], check=True, stdout=subprocess.DEVNULL)


def use_models(daemon: Daemon, folder: Path) -> None:
    """Programs that open models, one of which stays."""
    with subprocess.Popen([sys.executable, "-c", HOLD, folder / "zq7file.safetensors"]) as holder:
        daemon.opened(folder / "zq7file.safetensors")
        cat(folder / "tiny.gguf", 3)
        cat(folder / "zq7file.gguf")
        daemon.model(folder / "tiny.gguf", lambda one: one["opens"] >= 3)
        daemon.model(folder / "zq7file.gguf")
        assert daemon.stop() == 0
        holder.kill()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_replay_gives_what_was_stored(make_daemon: MakeDaemon, tmp_path: Path, folder: Path, name: str) -> None:
    """Every field of the census and of the alerts, also of a second run, which remembers the first."""
    first, second = tmp_path / name, tmp_path / f"second-{name}"
    for journal in (first, second):
        daemon = make_daemon(policy=POLICY, options=("--record", journal)).start()
        use_models(daemon, folder)
        census, alerts = stored(daemon, "census"), stored(daemon, "alerts")

        assert len(json.loads(alerts)) >= 2
        assert stat.S_IMODE(journal.stat().st_mode) == 0o600
        for seed in ("1", "2"):
            assert replayed(journal, "--census", seed=seed) == census
            assert replayed(journal, seed=seed) == alerts


def outline(journal: Path) -> Any:
    """What a journal gives, but for names."""
    census, alerts = json.loads(replayed(journal, "--census")), json.loads(replayed(journal))
    shown = ("format", "name", "opens", "size", "first_seen")
    return (
        sorted(str([model[key] for key in shown]) for model in census["models"]),
        sorted((one["uid"], len(one["models"]), len(one["processes"])) for one in census["workloads"]),
        sorted((one["rule"], one["count"], one["last_seen"]) for one in alerts),
    )


def test_names_are_not_recorded(make_daemon: MakeDaemon, tmp_path: Path, folder: Path) -> None:
    """Given `--redact`, then no name of a person or place is in the file, and the alerts are the same."""
    plain, copy, live = tmp_path / "plain.jsonl", tmp_path / "copy.jsonl", tmp_path / "live.jsonl"
    daemon = make_daemon(policy=POLICY, options=("--record", plain)).start()
    use_models(daemon, folder)
    subprocess.run([*COMMAND, "replay", plain, "--redact", copy], check=True, capture_output=True)
    assert outline(copy) == outline(plain)

    daemon = make_daemon(policy=POLICY, options=("--record", live, "--redact")).start()
    use_models(daemon, folder)
    assert len(json.loads(replayed(live))) == len(json.loads(replayed(plain)))
    for journal in (copy, live):
        text = journal.read_text()
        assert "zqperson" not in text
        assert "zq7" not in text


def test_a_journal_that_is_there_is_refused(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """One line, exit 2, and the file is as it was."""
    (tmp_path / "a.jsonl").write_text("old")
    daemon = make_daemon()
    done = subprocess.run(
        [*COMMAND, "run", "--state-dir", daemon.state, "--config", daemon.config, "--record", tmp_path / "a.jsonl"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "a.jsonl").read_text() == "old"
