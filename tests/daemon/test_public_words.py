"""Words by which nobody is known."""

import pytest

from modelwarden.daemon.public_words import message_words, public_words


@pytest.mark.parametrize(
    "word", ["usr", "python3", "llama-server", "gguf", "safetensors", "first_seen", "file_open", "-m"]
)
def test_what_our_code_compares_with_is_public(word: str) -> None:
    """Programs, suffixes, fields and probes, listed here or found in the source."""
    assert word in public_words()


@pytest.mark.parametrize("word", ["header", "permission", "denied", "larger", "inspection"])
def test_what_our_messages_say_is_public(word: str) -> None:
    """Our own sentences, and those of the system."""
    assert word in message_words()


@pytest.mark.parametrize("word", ["dana", "strangers", "acme", "", " "])
def test_what_is_written_for_readers_is_not(word: str) -> None:
    """A docstring may name anybody in an example."""
    assert word not in public_words()
    assert word not in message_words()
