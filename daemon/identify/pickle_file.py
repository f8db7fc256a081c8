"""Pickles of any object, those of joblib among them: models of scikit-learn, XGBoost and others that have no format.

Whether a pickle is a model is told by what it names (`reading/frameworks.py`); any other one is generic. Source of the
format: `pickletools.py` of CPython, `numpy_pickle.py` and `compressor.py` of joblib.
"""

import re

from modelwarden.daemon.identify.reading import torch_stream, unpack
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged, EndsEarly
from modelwarden.daemon.identify.reading.frameworks import Evidence
from modelwarden.daemon.identify.reading.opcodes import OPCODES
from modelwarden.daemon.identify.reading.part import Unpacked
from modelwarden.daemon.identify.reading.pickle_walk import TOO_LONG, Walk
from modelwarden.daemon.identify.reading.tensor_pickle import Name
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

PREFIX_LIMIT = 1 << 20
"""Bytes that are unpacked of a compressed pickle: the classes are named at its beginning."""
CHUNK = 1 << 13
PLAUSIBLE = 8
"""Opcodes after which data that was cut off is a pickle: noise does not come so far."""
PICKLED = re.compile(r"\.(?:pkl|pickle|joblib)(?:\.(?:z|zlib|gz|gzip|bz2|xz|lzma|lz4))?\Z", re.IGNORECASE)
TEXTUAL = re.compile(r"\.(?:pkl|pickle|joblib|dat)\Z", re.IGNORECASE)
TEXT_STARTS = frozenset(b"(c]})ILFSVNKMJUTXG")
"""Opcodes of the protocols without a head with which a pickle of them begins."""


class Pickle:
    """The pickle format, in files of its own."""

    name = "pickle"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the protocol in front of a known opcode; without one, and packed, the name decides later."""
        if size < 4:
            return False
        if head[:1] == b"\x80":
            return 2 <= head[1] <= 5 and head[2] in OPCODES and not torch_stream.has_magic(head)
        return head[0] in TEXT_STARTS or unpack.is_packed(head)

    def identify(self, window: Window) -> Identity | None:
        """The identity from the globals that it names; `None` for what is no pickle after all."""
        head = window.read(0, 64)
        if head[:1] == b"\x80":
            return self._judge(window, is_whole=True)
        if unpack.is_packed(head):
            if not PICKLED.search(window.name):
                return None
            data = unpack.unpack(window, PREFIX_LIMIT)
            whole = Unpacked(data, window)
            return self._judge(whole, is_whole=False) if self._begins(data) else None
        return self._judge(window, is_whole=True) if TEXTUAL.search(window.name) else None

    def _begins(self, data: bytes) -> bool:
        return len(data) >= 4 and data[:1] == b"\x80" and 2 <= data[1] <= 5

    def _judge(self, window: Window, *, is_whole: bool) -> Identity | None:
        """A verdict on what the window shows, which is all of the pickle or its beginning."""
        cursor = Cursor(window, chunk=CHUNK)
        walk, evidence = Walk(cursor), Evidence()
        ends_in_stop = not is_whole or window.read(window.size - 1, 1) == b"."
        is_pickle, problem = False, None
        try:
            for found in walk.found():
                if isinstance(found, Name):
                    evidence.see(found)
                # The rest would tell no more than whether it is whole, and models are large.
                if ends_in_stop and evidence.architecture is not None:
                    break
            is_pickle = walk.stopped and _ends_well(window, cursor.offset)
        except EndsEarly as damage:
            is_pickle = not is_whole and walk.steps >= PLAUSIBLE
            problem = str(damage) if is_whole else None
        except Damaged as damage:
            problem = str(damage)
            is_pickle = problem == TOO_LONG and ends_in_stop
        except BudgetSpentError:
            problem, is_pickle = TOO_LONG, ends_in_stop
        if evidence.framework is None and not is_pickle:
            return None
        return Identity(
            self.name, architecture=evidence.architecture, problem=problem, generic=evidence.framework is None
        )


def _ends_well(window: Window, offset: int) -> bool:
    """Whether nothing, or the next pickle, follows: `pickle.dump` may be called on one file again and again."""
    after = window.read(offset, 2)
    return not after or (after[:1] == b"\x80" and 2 <= after[-1] <= 5)


FORMAT: Format = Pickle()
