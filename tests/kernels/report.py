"""Turns what guests hand over into tables, remarks below them, and what is wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

HEADINGS = ("kernel", "userland", "variant", "probe", "hook", "result", "verified instructions", "tests")
COST_HEADINGS = (
    "kernel",
    "userland",
    "variant",
    "probe",
    "hook",
    "operation",
    "empty / none",
    "ours / none",
    "ours / empty",
    "runs",
)
MODULES = {"ways": "file_open"}
"""Tests of a probe that do not have its name."""
REASON_CHARACTERS = 160
"""Of a verifier's words in a table; all of them stand below it."""


@dataclass(slots=True)
class Report:
    """All that has been told so far."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    costs: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, suite: str, variant: str, told: dict[str, Any], *, all_tests: bool) -> None:
        """One guest; `all_tests` says that each hook must have passed some."""
        versions = told["versions"]
        bcc, libbpf = versions["python3-bpfcc"].split("+")[0], versions["libbpf1"].split("-")[0].split(":")[-1]
        guest = (versions["kernel"], f"{suite}: bcc {bcc}, libbpf {libbpf}", variant)
        name = f"{versions['kernel']} × {suite} × {variant}"
        if told["differences"]:
            self.problems.append(f"{name}: the guest is not as asked for: {', '.join(told['differences'])}")
            return
        tests = told.get("tests", [])
        used = {state["probe"]: state for state in told["chosen"]}
        self.problems += [
            f"{name}: {probe} has no hook: {state['reason']}" for probe, state in used.items() if not state["hook"]
        ]
        hooks = sorted(told["hooks"], key=lambda hook: str(hook["probe"]))
        for hook in hooks:
            probe, kind, reason = hook["probe"], hook["hook"], hook["reason"]
            state = used.get(probe, {})
            is_used = state.get("hook") == kind
            by_hook = tests_of(tests, probe, [other["hook"] for other in hooks if other["probe"] == probe])
            passed = by_hook[kind] + (by_hook[""] if is_used else Counter())
            # What is used may share a program with another probe: then it was larger than in its own turn.
            count = (state if is_used else hook)["verified"]
            verified = f"{count:,}" if count else "–"
            self.rows.append((*guest, probe, kind, result_of(hook, is_used=is_used), verified, counted(passed)))
            if len(reason) > REASON_CHARACTERS:
                self.remarks.append(f"{name}, {probe} by {kind}: {reason}")
            if hook["refused_at_load"]:
                self.problems.append(f"{name}, {probe} by {kind}: the kernel has the hook and refused ours: {reason}")
            must_be_tested = is_used or (hook["taken"] and by_hook[kind])
            if all_tests and tests and must_be_tested and not passed["passed"]:
                self.problems.append(f"{name}, {probe} by {kind}: no test passed with it")
        if tests:
            totals = Counter(test["outcome"] for test in tests)
            self.rows.append((*guest, "all", "", "", "", counted(totals)))
        self._add_trouble(name, tests)
        self.costs += [(*guest, *_cost(cost)) for cost in told.get("costs", [])]

    def _add_trouble(self, name: str, tests: Iterable[dict[str, str]]) -> None:
        self.problems += [
            f"{name}, {test['module']}, {test['name']}:\n{test['reason']}"
            for test in tests
            if test["outcome"] in {"failure", "error"}
        ]
        skipped = Counter(test["reason"].splitlines()[0] for test in tests if test["outcome"] == "skipped")
        self.remarks += [f"{name}: {count} tests skipped: {reason}" for reason, count in skipped.items()]

    def tables(self) -> str:
        """As Markdown: the hooks, what they cost if that was measured, the remarks."""
        parts = ["\n".join(table(HEADINGS, self.rows))]
        if self.costs:
            parts.append("\n".join(table(COST_HEADINGS, self.costs)))
        if self.remarks:
            parts.append("\n".join(f"* {remark}" for remark in self.remarks))
        return "\n\n".join(parts) + "\n"


def result_of(hook: dict[str, Any], *, is_used: bool) -> str:
    """Such as `used`, `taken`, `refused: tracefs is not mounted`, `used; what io_uring opens is not seen`."""
    reason = hook["reason"]
    shown = reason if len(reason) <= REASON_CHARACTERS else f"{reason[:REASON_CHARACTERS]}…"
    shown = shown.replace("|", "\\|").replace("\n", " ")
    if not hook["taken"]:
        return f"refused: {shown}"
    return "; ".join(filter(None, ("used" if is_used else "taken", shown)))


def tests_of(tests: Iterable[dict[str, str]], probe: str, kinds: Sequence[str]) -> dict[str, Counter[str]]:
    """How the tests of a probe ended, by the hook that they name in brackets; `""` has those that name none."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in ("", *kinds)}
    for test in tests:
        if MODULES.get(test["module"], test["module"]) == probe:
            parameters = test["name"].partition("[")[2].rstrip("]").split("-")
            found[next((kind for kind in kinds if kind in parameters), "")][test["outcome"]] += 1
    return found


def counted(found: Counter[str]) -> str:
    """Such as `23 passed, 1 failure`."""
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.items())) or "–"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The rows as Markdown."""
    lines = [headings, ("---",) * len(headings), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cost(cost: dict[str, Any]) -> tuple[str, ...]:
    ratios = (f"{cost[name]:.2f}" for name in ("empty_to_none", "ours_to_none", "ours_to_empty"))
    return cost["probe"], cost["hook"], cost["operation"], *ratios, f"{cost['runs']:.2f}"
