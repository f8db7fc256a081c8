"""Renders what the C side shares with Python: `python -m modelwarden.probes.render` writes kernel/events.h."""

from pathlib import Path

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.registry import LAYOUTS
from modelwarden.probes.wire import ARGUMENT_BYTES_MAX, COMPONENTS_MAX, PATH_BYTES_MAX, layout

HEADER = Path(__file__).parent / "kernel" / "events.h"
_NAME_BYTES = 256
"""What the walk may write past a full path: one more component."""


def render_header() -> str:
    """The text of events.h: limits, candidate bits, one struct a record."""
    record_max = max(item.fixed.size for item in LAYOUTS) + PATH_BYTES_MAX + ARGUMENT_BYTES_MAX + _NAME_BYTES
    task = layout(TaskEvent, 0).c_source.replace("#define KIND_TASK_EVENT 0\n", "")
    return "\n".join(
        [
            "/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */",
            "/* Rendered by `make header` from the records in this folder's Python files: do not edit. */",
            "#pragma once",
            "",
            f"#define COMPONENTS_MAX {COMPONENTS_MAX}",
            f"#define PATH_BYTES_MAX {PATH_BYTES_MAX}",
            f"#define KINDS_END {max(item.kind for item in LAYOUTS) + 1}",
            f"#define RECORD_MAX {record_max + -record_max % 8}",
            "",
            *(f"#define CANDIDATE_{bit.name} {bit.value}" for bit in Candidate),
            "",
            "/* Every record of a process begins like this. */",
            task,
            *(item.c_source for item in LAYOUTS),
        ]
    )


if __name__ == "__main__":
    HEADER.write_text(render_header())
