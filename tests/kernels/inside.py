"""What runs in the guest: each program with what the verifier had to do for it, the kernel tests, what hooks cost."""

import argparse
import json
import platform
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from typing import Any

from variants import VARIANTS, become, differences

RESULT = Path("/dev/vdc")
LARGE_BYTES = 32 << 20
LEFT_OUT = "another turn"


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


def chosen_hooks() -> list[dict[str, Any]]:
    """What becomes of each probe when the daemon starts here."""
    loader = import_module("modelwarden.probes.loader")
    try:
        kernel = loader.load(LARGE_BYTES)
    except loader.ProbesUnavailableError as error:
        return [{"probe": "all", "hook": None, "reason": str(error)}]
    probes = import_module("modelwarden.probes.registry").PROBES
    states = []
    for probe, state in zip(probes, kernel.states, strict=True):
        hook = next((hook for hook in probe.hooks if hook.kind is state.hook), None)
        found = {"probe": state.name, "hook": state.hook, "reason": state.reason or ""}
        states.append(found | (_verified(kernel, hook) if hook else {}))
    kernel.close()
    return states


def hooks_in_turn() -> list[dict[str, Any]]:
    """For each hook of each probe: whether the kernel takes it and how many instructions the verifier followed."""
    loader, registry = import_module("modelwarden.probes.loader"), import_module("modelwarden.probes.registry")
    rows = []
    for position in range(max(len(probe.hooks) for probe in registry.PROBES)):
        turns = {probe.name: probe.hooks[position] for probe in registry.PROBES if position < len(probe.hooks)}
        without = {
            probe.key(hook): LEFT_OUT
            for probe in registry.PROBES
            for hook in probe.hooks
            if turns.get(probe.name) is not hook
        }
        start = time.monotonic()
        try:
            kernel = loader.load(LARGE_BYTES, without)
        except loader.ProbesUnavailableError as error:
            # All are one unit: it does not compile, or the kernel cannot run any.
            rows += [_row(name, hook, {"reason": str(error), "refused_at_load": True}) for name, hook in turns.items()]
            continue
        seconds = round(time.monotonic() - start, 1)
        for state in kernel.states:
            if state.name in turns:
                hook, taken = turns[state.name], state.hook is not None
                reason = _reason(state, hook)
                named = any(reason.startswith(f"{program.function}:") for program in hook.programs)
                found = {"taken": taken, "reason": reason, "refused_at_load": named and not taken, "load_s": seconds}
                rows.append(_row(state.name, hook, found | _verified(kernel, hook)))
        kernel.close()
    return rows


def _row(probe: str, hook: Any, found: dict[str, Any]) -> dict[str, Any]:
    blank = {
        "probe": probe,
        "hook": hook.kind.value,
        "taken": False,
        "verified": 0,
        "programs": {},
        "refused_at_load": False,
    }
    return blank | found


def _reason(state: Any, hook: Any) -> str:
    """Without what the hooks that had no turn say."""
    reasons = [reason for reason in (state.reason or "").split("; ") if not reason.endswith(f": {LEFT_OUT}")]
    return "; ".join(reasons).removeprefix(f"{hook.kind.value}: ")


def _verified(kernel: Any, hook: Any) -> dict[str, Any]:
    """Instructions that the verifier followed, by program and in all; zero before 5.16."""
    info = import_module("modelwarden.probes.libbpf").program_info
    functions = {program.function for program in hook.programs}
    by_program = {
        function: info(descriptor).verified_instructions
        for _, function, descriptor in kernel.programs
        if function in functions
    }
    return {"verified": sum(by_program.values()), "programs": by_program}


def measure_costs() -> list[dict[str, Any]]:
    """What `bench/hooks.py` finds; with fewer turns of each loop: an emulated processor is slow."""
    report = Path("/tmp/costs.json")
    command = [sys.executable, "bench/hooks.py", "--json", str(report), "--actor", "/checkout/actor", "--share", "0.05"]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench/hooks.py ended with {done.returncode}")
    found: list[dict[str, Any]] = json.loads(report.read_text())
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


def main() -> dict[str, Any]:
    """What is handed over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--programs-only", action="store_true")
    parser.add_argument("--costs", action="store_true")
    chosen, others = parser.parse_known_args()
    variant = VARIANTS[chosen.variant]
    become(variant)
    result: dict[str, Any] = {"versions": versions(), "differences": differences(variant)}
    if result["differences"]:
        return result
    start = time.monotonic()
    result |= {"chosen": chosen_hooks(), "hooks": hooks_in_turn()}
    result["hooks_s"] = round(time.monotonic() - start)
    if not chosen.programs_only:
        start = time.monotonic()
        result["tests"] = run_tests(others)
        result["tests_s"] = round(time.monotonic() - start)
    if chosen.costs:
        start = time.monotonic()
        result["costs"] = measure_costs()
        result["costs_s"] = round(time.monotonic() - start)
    return result


if __name__ == "__main__":
    handed_over = json.dumps(main()).encode()
    with RESULT.open("r+b") as disk:
        disk.write(handed_over)
