"""Which program family runs a model: one file each, with what identifies it."""
