"""The child program that makes each probe's fact happen, in a folder of its own, once it is visible to the probes.

The daemon's children are invisible. So it first imports all that it needs, says `ready`, and begins when it gets the
places where its folder may be. It sends one message for each probe, its name and, when its fact could not be made, why;
then it ends. It also ends, without leaving its folder behind, with the daemon and at its deadline.
"""

import ctypes
import os
import signal
import stat
from _socket import socket
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path

MESSAGE_BYTES = 1 << 14
REASON_CHARACTERS = 500
DEADLINE_S = 8
"""The daemon waits a little longer, so that the folder is gone before the program would be killed."""
READY = b"ready"

Prove = Callable[[Path], None]
Tell = Callable[[str, str], None]
_PR_SET_PDEATHSIG = 1
_ENDINGS = (signal.SIGTERM, signal.SIGALRM)


def main(descriptor: int, names: Iterable[str]) -> None:
    """Proves the probes of these names, over the socket whose descriptor this is."""
    parent = socket(fileno=descriptor)

    def tell(name: str, reason: str) -> None:
        parent.send(f"{name} {' '.join(reason.split())[:REASON_CHARACTERS]}".encode(errors="replace"))

    for number in _ENDINGS:
        signal.signal(number, _end)
    signal.alarm(DEADLINE_S)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    proofs, unknown = find(names)
    parent.send(READY)
    places = parent.recv(MESSAGE_BYTES)
    if not places:
        return  # the daemon is gone
    for name, reason in unknown.items():
        tell(name, reason)
    make(proofs, [Path(os.fsdecode(place)) for place in places.split(b"\0")], tell)


def find(names: Iterable[str]) -> tuple[dict[str, Prove], dict[str, str]]:
    """The proofs by probe, and why there is none for the others. Not by the registry: it imports every probe."""
    found: dict[str, Prove] = {}
    unknown: dict[str, str] = {}
    for name in names:
        try:
            prove = import_module(f"modelwarden.probes.kernel.{name}").PROBE.prove
        except Exception as error:  # noqa: BLE001 - one that is broken must not stop the others
            unknown[name] = f"its module cannot be imported: {error!r}"
            continue
        if prove is None:
            unknown[name] = "it has no proof"
        else:
            found[name] = prove
    return found, unknown


def make(proofs: Mapping[str, Prove], places: Iterable[Path], tell: Tell) -> None:
    """Makes each fact in a folder at the first place that allows it, and tells each name with "" or a reason."""
    left, reasons = dict(proofs), dict[str, str]()
    for place in places:
        if not left:
            break
        try:
            folder = private_folder(place)
        except OSError as error:
            no_folder = f"no folder in {place}: {error.strerror or error}"
            reasons = dict.fromkeys(left, no_folder) | reasons  # what a proof itself met says more
            continue
        try:
            try:
                folder.mkdir(0o700)  # never one that is there already
                _make_in(folder, proofs, left, reasons, tell)
            finally:
                _remove(folder)
        except OSError as error:
            reasons = dict.fromkeys(left, f"no folder in {place}: {error.strerror or error}") | reasons
        finally:
            _remove(folder)  # once more: an ending can come in the midst of the first time, but only one does
    for name in left:
        tell(name, reasons.get(name, "there is no place for its folder"))


def _make_in(
    folder: Path, proofs: Mapping[str, Prove], left: dict[str, Prove], reasons: dict[str, str], tell: Tell
) -> None:
    for name, prove in proofs.items():
        if name not in left:
            continue
        try:
            prove(folder)
        except Exception as error:  # noqa: BLE001 - a proof that fails must not stop the others
            reasons[name] = str(error) or repr(error)
        else:
            del left[name]
            tell(name, "")


def private_folder(place: Path) -> Path:
    """The name of a new folder that nobody else could swap for another one; `OSError` when the place allows none."""
    facts = place.stat()
    others_may_write = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not facts.st_mode & stat.S_ISVTX
    if facts.st_uid not in {0, os.geteuid()} or others_may_write:
        raise PermissionError("others could swap what is in it")
    return place / f"modelwarden-{os.urandom(8).hex()}"


def _remove(folder: Path) -> None:
    """By hand: `shutil` takes longer to import than all proofs take."""
    for top, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _try(Path(top, name).unlink)
        for name in folders:
            path = Path(top, name)
            _try(path.unlink if path.is_symlink() else path.rmdir)
    _try(folder.rmdir)


def _try(remove: Callable[[], None]) -> None:
    try:
        remove()
    except OSError:
        return  # the place became read-only: nobody can remove it


def _end(_number: int, _frame: object) -> None:
    """Leaves by the way that removes the folder; nothing interrupts that any more."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(1)
