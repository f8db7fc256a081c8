"""llamafile: a program of llama.cpp for every system, with the weights in a zip archive at its end.

Source: the README of llamafile (the two magics are those of its binfmt_misc rules), its `zipalign` (weights are stored,
so that they can be mapped). The head alone says only that it was made with Cosmopolitan Libc, like many other programs.
"""

from dataclasses import replace

from modelwarden.daemon.identify.reading import claims, gguf_identity
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.part import Part
from modelwarden.daemon.identify.reading.zip_directory import Member, content_offset, members
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

MAGICS = (b"MZqFpD", b"jartsr")


class Llamafile:
    """The llamafile format."""

    name = "llamafile"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the head of an actually portable executable."""
        return head.startswith(MAGICS) and size > 64

    def identify(self, window: Window) -> Identity | None:
        """The identity of the weights inside; `None` for a program without any."""
        weights = None
        try:
            weights = _weights(window)
            return None if weights is None else self._inside(window, weights)
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = "its table of contents is larger than an inspection reads"
        is_one = weights is not None or window.name.endswith(".llamafile")
        return Identity(self.name, problem=problem) if is_one else None

    def _inside(self, window: Window, weights: Member) -> Identity:
        part = Part(window, content_offset(window, weights), weights.size, weights.name)
        if weights.method != 0:
            return Identity(self.name, problem="its weights are compressed: llamafile could not map them")
        if part.read(0, 4) != gguf_identity.MAGIC:
            return Identity(self.name, problem="its weights are no GGUF")
        identity = gguf_identity.identity(part, self.name)
        file = weights.name.rpartition("/")[2].removesuffix(".gguf")
        return replace(identity, name=identity.name or claims.text(file))


def _weights(window: Window) -> Member | None:
    """The largest GGUF in the archive: a projector for images is smaller than the model that it serves."""
    found = None
    for member in members(window):
        if member.name.endswith(".gguf") and (found is None or member.size > found.size):
            found = member
    return found


FORMAT: Format = Llamafile()
