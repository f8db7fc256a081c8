"""The zip archives of PyTorch: what `torch.save` has written since 1.6, TorchScript among them.

Source: `torch/serialization.py`; `inline_container.cc` for what torch demands of an archive (a version, and one folder
around everything) and how it pads; the rules that tell the variants apart are those of fickling's `polyglot.py`.
"""

from dataclasses import dataclass, field

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.part import Unpacked
from modelwarden.daemon.identify.reading.pickle_walk import Walk
from modelwarden.daemon.identify.reading.torch_weights import Weights
from modelwarden.daemon.identify.reading.zip_directory import LOCAL, Member, members, read_member
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Window

PICKLE_LIMIT = 8 << 20
"""The longest `data.pkl` that is read, in bytes: one of a thousand tensors has a few hundred KiB."""
FIRST_MEMBERS = frozenset((b"data.pkl", b"version", b"byteorder", b".format_version", b"data/0"))
PADDING = b"FB"
"""The tag of the extra field by which torch aligns a member's content."""
VERSIONS = frozenset(("version", ".data/version"))


@dataclass(slots=True)
class Archive:
    """What was read of an archive, as far as it could be read."""

    root: str = ""
    """The folder around everything: the file's name when it was written."""
    data: Member | None = None
    has_version: bool = False
    is_script: bool = False
    weights: Weights = field(default_factory=Weights)
    is_complete: bool = False
    problem: str | None = None

    def add(self, member: Member) -> None:
        """Take one member of the table; the first one decides the root, as it does for torch."""
        root, _, rest = member.name.partition("/")
        self.root = self.root or root
        if root != self.root:
            return
        if rest == "data.pkl" and self.data is None:
            self.data = member
        elif rest in VERSIONS:
            self.has_version = True
        elif rest == "constants.pkl" or rest.startswith("code/"):
            self.is_script = True


def read(window: Window) -> Archive | None:
    """The archive; `None` for a zip that torch would not load, or a damaged one that nothing shows to be torch's."""
    archive = Archive()
    try:
        for member in members(window):
            archive.add(member)
    except Damaged as damage:
        archive.problem = str(damage)
    except BudgetSpentError:
        archive.problem = "its table of contents is larger than an inspection reads"
    is_torch = archive.has_version if archive.problem is None else _begins_like_torch(window)
    if archive.data is None:
        return archive if archive.problem is not None and is_torch else None
    if not is_torch and archive.problem is None:
        return None
    _read_pickle(window, archive.data, archive)
    return archive if is_torch or archive.weights.parameters else None


def _read_pickle(window: Window, member: Member, archive: Archive) -> None:
    try:
        data = Unpacked(read_member(window, member, PICKLE_LIMIT), window)
        archive.weights.read(Walk(Cursor(data)))
        archive.is_complete = True
        if archive.weights.stored > window.size:
            archive.problem = archive.problem or claims.cut_short(window.size, archive.weights.stored)
    except Damaged as damage:
        archive.problem = archive.problem or str(damage)
    except BudgetSpentError:
        archive.problem = archive.problem or "it is larger than an inspection reads"


def _begins_like_torch(window: Window) -> bool:
    """Whether the first member of an archive without a usable table of contents is one that torch wrote."""
    head = window.read(0, LOCAL.size + 512)
    if len(head) < LOCAL.size:
        return False
    fields = LOCAL.unpack_from(head)
    name_end = LOCAL.size + fields[9]
    rest = head[LOCAL.size : name_end].partition(b"/")[2]
    content = head[name_end + fields[10] :][:2]
    is_padded = head[name_end : name_end + 2] == PADDING
    return rest in FIRST_MEMBERS and (is_padded or (rest == b"data.pkl" and content == b"\x80\x02"))
