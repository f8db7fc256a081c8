"""Transformers' own command line: a script that only imports it is told by PyTorch's libraries alone.

Source: `src/transformers/commands` of huggingface/transformers.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="transformers",
    launches=(
        Launch(names=("transformers", "transformers-cli"), words=("serve", "chat", "run")),
        Launch(modules=("transformers.commands", "transformers.cli"), words=("serve", "chat", "run")),
    ),
    supporting=TORCH,
)
