"""`modelwarden rules`."""

import pytest

from modelwarden.cli import main
from modelwarden.cli.rules import description_of


def test_list_has_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """One row a rule, with its severity."""
    assert main(["rules"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["unapproved_model", "medium"] in [row[:2] for row in rows]


def test_show_explains_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A page says what it means, when it is wrong and what to do."""
    assert main(["rules", "show", "unapproved_model"]) == 0
    out = capsys.readouterr().out
    assert all(title in out for title in ("What it means", "False positives", "What to do", "techniques"))


def test_unknown_rule_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error gets a suggestion and exit 2."""
    assert main(["rules", "show", "unaproved_model"]) == 2
    assert capsys.readouterr().err == (
        "modelwarden: there is no rule unaproved_model; did you mean unapproved_model?\n"
    )


@pytest.mark.parametrize("name", ["no_such_rule", "../x", "rule", "", "os.path"])
def test_rule_of_another_version_has_no_description(name: str) -> None:
    """An alert may be older, or newer, than the rules that are here."""
    assert description_of(name) is None
