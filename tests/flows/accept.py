"""Writes down what each journal gives now, once somebody has read the difference: python -m tests.flows.accept."""

from tests.flows.journals import JOURNALS, expected, render

if __name__ == "__main__":
    for path in JOURNALS:
        expected(path).write_text(render(path))
