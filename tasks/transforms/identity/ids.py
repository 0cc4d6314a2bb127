"""The customer id of an anchor key (algorithms §7.7): a function of the content, never a counter."""

import numpy as np
import polars as pl
import polars_hash as plh
from numpy.typing import NDArray

UNIT = "\x1f"
"""Between the parts of a key: sorts below every printable character."""
_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_PREFIX = b"c_"
_WIDTH = len(_PREFIX) + 16
_HALVES = 2
"""Five bytes are eight base32 digits: no bit crosses from one half into the other."""


def one_id_of(anchor: pl.Expr) -> pl.Expr:
    """`c_` and the first 16 characters of base32(SHA-256(anchor)), in lower case.

    80 bits: among ten million customers, two share an id with a chance of one in 10¹⁰.
    """
    return anchor.pipe(_sha256).map_batches(_printed, return_dtype=pl.String, is_elementwise=True)


def anchor_of(epoch: pl.Expr) -> pl.Expr:
    """The bytes that name a key in one of its epochs: type, scope and pseudonym, `#n` after it from epoch 2 on."""
    name = pl.concat_str("key_type", "key_scope", "pseudonym", separator=UNIT)
    return pl.concat_str(name, suffix_of(epoch))


def suffix_of(epoch: pl.Expr) -> pl.Expr:
    """`#n` for the n-th epoch of a key; nothing for the first."""
    return pl.when(epoch > 1).then(pl.format("#{}", epoch)).otherwise(pl.lit(""))


def _sha256(text: pl.Expr) -> pl.Expr:
    """Hex digest of each text's UTF-8 bytes."""
    digest: pl.Expr = plh.concat_str(text).chash.sha2_256()
    return digest


def _printed(digests: pl.Series) -> pl.Series:
    """One id per hex digest. In numbers, because text expressions take five times as long for millions of keys."""
    known = digests.fill_null("0" * 20).str.slice(0, 20).str.decode("hex")
    five = np.frombuffer(b"".join(known.to_list()), dtype=np.uint8).reshape(-1, _HALVES, 5).astype(np.uint64)
    bits = sum(five[:, :, place] << np.uint64(32 - 8 * place) for place in range(5))
    text = _spelled(np.asarray(bits, dtype=np.uint64))
    ids = pl.Series(digests.name, text.view(f"S{_WIDTH}").ravel()).cast(pl.String)
    return ids.zip_with(digests.is_not_null(), pl.Series([None], dtype=pl.String))


def _spelled(halves: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """One row of bytes per id, from two numbers of 40 bits each."""
    text = np.empty((len(halves), _WIDTH), dtype=np.uint8)
    text[:, : len(_PREFIX)] = np.frombuffer(_PREFIX, dtype=np.uint8)
    for place in range(16):
        half, digit = divmod(place, 8)
        text[:, len(_PREFIX) + place] = _ALPHABET[(halves[:, half] >> np.uint64(35 - 5 * digit)) & np.uint64(31)]
    return text
