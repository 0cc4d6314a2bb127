"""How data is made: policy, sources, transforms, stores, gate and steps."""

import os

os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:20,muzzy_decay_ms:0")
"""Read when Polars is imported: else its allocator keeps what was freed for a second and a half, a fifth of all."""
os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", "2")
"""Groups of rows that a scan decodes ahead; all files lie on local disk."""
