"""The customer id of an anchor key (algorithms §7.7): a function of the content, never a counter."""

import polars as pl
import polars_hash as plh

UNIT = "\x1f"
"""Between the parts of a key: sorts below every printable character."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = pl.Series([a + b for a in _ALPHABET for b in _ALPHABET])
"""Base32 (RFC 4648, lower case) of ten bits at a time: two characters."""


def one_id_of(anchor: pl.Expr) -> pl.Expr:
    """`c_` and the first 16 characters of base32(SHA-256(anchor)), in lower case.

    80 bits: among ten million customers, two share an id with a chance of one in 10¹⁰.
    """
    digest = anchor.pipe(_sha256)
    # Five hex digits are 20 bits, which are four base32 digits: no bit crosses a slice.
    words = [digest.str.slice(start, 5).str.to_integer(base=16, dtype=pl.UInt32) for start in range(0, 20, 5)]
    parts = [pl.lit(_PAIRS).gather(half) for word in words for half in (word // 1024, word % 1024)]
    return pl.concat_str(pl.lit("c_"), *parts)


def anchor_of(epoch: pl.Expr | None = None) -> pl.Expr:
    """The bytes that name a key in one of its epochs: type, scope and pseudonym, `#n` after it from epoch 2 on."""
    name = pl.concat_str("key_type", "key_scope", "pseudonym", separator=UNIT)
    return name if epoch is None else pl.concat_str(name, suffix_of(epoch))


def suffix_of(epoch: pl.Expr) -> pl.Expr:
    """`#n` for the n-th epoch of a key; nothing for the first."""
    return pl.when(epoch > 1).then(pl.format("#{}", epoch)).otherwise(pl.lit(""))


def _sha256(text: pl.Expr) -> pl.Expr:
    """Hex digest of each text's UTF-8 bytes."""
    digest: pl.Expr = plh.concat_str(text).chash.sha2_256()
    return digest
