"""A model of half a megabyte that llama.cpp really loads and runs: random weights, a vocabulary of bytes."""

from pathlib import Path

WIDTH, BLOCKS, HEADS, FEED = 64, 2, 4, 128
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
"""Types of tokens: `enum llama_token_type` of llama.h."""


def write_tiny_llama(path: Path, name: str = "tiny-random", seed: int = 7) -> Path:
    """The file; every seed gives another content."""
    import gguf  # noqa: PLC0415 - tests that use nothing of this must not wait for it
    import numpy  # noqa: PLC0415

    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(97, 123))]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * 27]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    random = numpy.random.default_rng(seed)

    def add(tensor: str, *shape: int) -> None:
        writer.add_tensor(tensor, (random.standard_normal(shape) / 8).astype(numpy.float32))

    add("token_embd.weight", len(tokens), WIDTH)
    add("output_norm.weight", WIDTH)
    add("output.weight", len(tokens), WIDTH)
    for block in range(BLOCKS):
        for part, shape in (
            ("attn_norm", (WIDTH,)),
            *((part, (WIDTH, WIDTH)) for part in ("attn_q", "attn_k", "attn_v", "attn_output")),
            ("ffn_norm", (WIDTH,)),
            ("ffn_gate", (FEED, WIDTH)),
            ("ffn_up", (FEED, WIDTH)),
            ("ffn_down", (WIDTH, FEED)),
        ):
            add(f"blk.{block}.{part}.weight", *shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
