"""What runs in the guest: the kernel tests, then one look at each program with what the verifier had to do for it."""

import ctypes
import json
import os
import platform
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from typing import Any

RESULT = Path("/dev/vdc")
_PROGRAM_INFO_BYTES = 232
_NAME_AT, _VERIFIED_AT = 64, 216
"""struct bpf_prog_info: include/uapi/linux/bpf.h; verified_insns since 5.16."""


def run_tests(arguments: list[str]) -> list[dict[str, str]]:
    """Each test with its outcome and, where it did not pass, the reason."""
    report = Path("/tmp/report.xml")
    command = [sys.executable, "-m", "pytest", "tests/kernel", "-q", "-p", "no:cacheprovider"]
    subprocess.run([*command, "--tb=short", "--color=no", f"--junitxml={report}", *arguments], check=False)
    found = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        bad = next((child for child in case if child.tag in {"failure", "error", "skipped"}), None)
        outcome = "passed" if bad is None else bad.tag
        reason = "" if bad is None else f"{bad.get('message', '')}\n{bad.text or ''}"
        module = case.get("classname", "").rpartition(".")[2].removeprefix("test_")
        found.append({"module": module, "name": case.get("name", ""), "outcome": outcome, "reason": reason[:4000]})
    return found


def verified_instructions() -> list[dict[str, Any]]:
    """For each hook of each probe: whether the kernel takes it and how many instructions the verifier looked at."""
    loader, registry = import_module("modelwarden.probes.loader"), import_module("modelwarden.probes.registry")
    import_module("modelwarden.probes.build").Compiler._output = _end_of_output
    rows = []
    for position in range(max(len(probe.hooks) for probe in registry.PROBES)):
        without = {hook.program: "another turn" for probe in registry.PROBES for hook in probe.hooks}
        for probe in registry.PROBES:
            if position < len(probe.hooks):
                without.pop(probe.hooks[position].program)
        before, start = _programs(), time.monotonic()
        try:
            kernel = loader.load(32 << 20, without)
        except loader.ProbesUnavailableError as error:
            return [{"probe": "all", "hook": "", "taken": False, "reason": str(error), "verified": 0, "load_s": 0.0}]
        seconds = time.monotonic() - start
        seen = {name: count for number, (name, count) in _programs().items() if number not in before}
        for probe in registry.PROBES:
            if position < len(probe.hooks):
                hook = probe.hooks[position]
                state = next(state for state in kernel.states if state.name == probe.name)
                row = {"probe": probe.name, "hook": hook.kind.value, "taken": state.hook is hook.kind}
                row |= {"reason": state.reason or "", "verified": seen.get(hook.program[:15], 0)}
                rows.append(row | {"load_s": round(seconds, 1)})
        kernel.close()
    return rows


def _end_of_output(compiler: Any) -> str:
    """Why the verifier refused stands at the end of a log of thousands of lines."""
    compiler._log.seek(0)
    whole: bytes = compiler._log.read()
    return whole.decode(errors="replace").strip()[-2000:]


def _programs() -> dict[int, tuple[str, int]]:
    """All programs in the kernel: number → (name, verified instructions)."""
    lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    found, number = {}, ctypes.c_uint32(0)
    while lib.bpf_prog_get_next_id(number, ctypes.byref(number)) == 0:
        descriptor = lib.bpf_prog_get_fd_by_id(number)
        if descriptor < 0:
            continue
        info, size = ctypes.create_string_buffer(_PROGRAM_INFO_BYTES), ctypes.c_uint32(_PROGRAM_INFO_BYTES)
        lib.bpf_obj_get_info_by_fd(descriptor, info, ctypes.byref(size))
        os.close(descriptor)
        name = info.raw[_NAME_AT : _NAME_AT + 16].split(b"\0")[0].decode()
        found[number.value] = (name, int.from_bytes(info.raw[_VERIFIED_AT : _VERIFIED_AT + 4], "little"))
    return found


def versions() -> dict[str, str]:
    """What the guest is made of."""
    packages = ["python3-bpfcc", "libbpf1"]
    shown = subprocess.run(
        ["/usr/bin/dpkg-query", "-W", "-f=${Package} ${Version}\n", *packages],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    return {"kernel": platform.release(), "python": platform.python_version()} | dict(
        line.split(" ", 1) for line in shown.splitlines()
    )


if __name__ == "__main__":
    result: dict[str, Any] = {"versions": versions(), "programs": verified_instructions()}
    if "--programs-only" not in sys.argv:
        result["tests"] = run_tests(sys.argv[1:])
    with RESULT.open("r+b") as disk:
        disk.write(json.dumps(result).encode())
