"""Text Generation Inference: a launcher, a router and Python shards, which `comm` cuts to one name.

Source: `launcher/src/main.rs` and `server/text_generation_server/cli.py` of huggingface/text-generation-inference.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="tgi",
    launches=(
        Launch(
            names=("text-generation-launcher",),
            options=("--model-id", "--port", "--hostname", "--sharded", "--quantize"),
        ),
        Launch(names=("text-generation-router*",), options=("--master-shard-uds-path", "--tokenizer-name", "--port")),
        Launch(names=("text-generation-server",), words=("serve", "download-weights", "quantize")),
    ),
    supporting=TORCH,
    images=("huggingface/text-generation-inference",),
)
