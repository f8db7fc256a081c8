"""The rule `model_hash_mismatch`."""

import pytest
from tests.kit import MODEL, TINY
from tests.rows import model_file, process, used

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.model.files import Standing
from modelwarden.daemon.model.world import World
from modelwarden.daemon.rules.model_hash_mismatch import RULE

SHA, OTHER = "ab" * 32, "cd" * 32
STORED = Source("ollama", "registry.ollama.ai/library/tiny", digest=SHA)


def test_fires_when_the_store_says_otherwise() -> None:
    """An analyst sees which file, what it is, what it should be, and who says so."""
    model = model_file(standing=Standing.MODEL, identity=TINY, origin=STORED, sha256=OTHER)
    finding = RULE.judge(used(model), World())
    assert finding is not None
    assert finding.subject == f"file:{MODEL}"
    assert finding.what == (
        f"/usr/bin/llama [100] opened tiny (gguf, llama, Q4_0) at {MODEL}: its SHA-256 is {OTHER}, "
        f"the store (ollama) says {SHA}"
    )
    later = RULE.judge(used(model, process=process(path=None), count=0), World())
    assert later is not None
    assert later.what.startswith("a process [100] has in use tiny")
    assert later.subject == finding.subject


@pytest.mark.parametrize(
    ("origin", "sha256"),
    [(STORED, SHA), (STORED, None), (None, OTHER), (Source("huggingface", "a/b"), OTHER)],
    ids=["as claimed", "not known yet", "no store", "no claim"],
)
def test_silent(origin: Source | None, sha256: str | None) -> None:
    """Without two sums that differ there is nothing to say."""
    assert RULE.judge(used(model_file(origin=origin, sha256=sha256)), World()) is None


def test_about() -> None:
    """People are told what is true, how bad it is, and what to do."""
    assert (RULE.about.name, RULE.about.severity) == ("model_hash_mismatch", Severity.HIGH)
    assert RULE.about.techniques == ("AML.T0010.003", "AML.T0018", "T1565.001")
    assert all((RULE.about.title, RULE.about.description, RULE.about.false_positives, RULE.about.what_to_do))
