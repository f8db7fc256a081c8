"""Renders what the C side shares with Python: `python -m modelwarden.probes.render` writes kernel/events.h."""

from pathlib import Path

from modelwarden.probes import tables
from modelwarden.probes.candidate import WEAK_MIN_BYTES, Candidate
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.common import FileEvent, TaskEvent
from modelwarden.probes.probe import Probe
from modelwarden.probes.registry import LAYOUTS, PROBES
from modelwarden.probes.wire import ARGUMENT_BYTES_MAX, COMPONENTS_MAX, PATH_BYTES_MAX, SELF_TEST, layout, snake

HEADER = Path(__file__).parent / "kernel" / "events.h"
_NAME_BYTES = 256
"""What the walk may write past a full path: one more component."""


def render_header() -> str:
    """The text of events.h: limits, values, rows of tables, one struct a record."""
    record_max = max(item.fixed.size for item in LAYOUTS) + PATH_BYTES_MAX + ARGUMENT_BYTES_MAX + _NAME_BYTES
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
            f"#define RECORD_SELF_TEST {SELF_TEST}",
            f"#define TICK_NS {TICK_NS}ULL",
            f"#define WEAK_MIN_BYTES {WEAK_MIN_BYTES}",
            *(f"#define CANDIDATE_{bit.name} {bit.value}" for bit in Candidate),
            *(f"#define {name}" for probe in PROBES for name in _values(probe)),
            tables.c_source(),
            "/* Every record of a process begins like this. */",
            _base(TaskEvent),
            "/* And every one of a file like this. */",
            _base(FileEvent),
            *(item.c_source for item in LAYOUTS),
        ]
    )


def _values(probe: Probe) -> list[str]:
    """Name and number of each value of its enumerations."""
    return [f"{snake(values.__name__).upper()}_{one.name} {one.value}" for values in probe.values for one in values]


def _base(cls: type[Event]) -> str:
    """The struct that a record begins with; it has no kind of its own."""
    return (
        "\n".join(line for line in layout(cls, 0).c_source.splitlines() if not line.startswith("#define KIND_")) + "\n"
    )


if __name__ == "__main__":
    HEADER.write_text(render_header())
