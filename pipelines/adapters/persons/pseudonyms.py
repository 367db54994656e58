"""The keyed hash: HMAC-SHA-256 (RFC 2104, FIPS 198-1) of whole columns at once, under the store's pseudonym key.

A person is known by the first 16 bytes of the hash of `person`, a separator and the NHS number; a record by those of
its feed, the organisation and its own number. Whoever lacks the key can make neither from the other.
"""

from __future__ import annotations

import binascii

import polars as pl
import polars_hash
import pyarrow as pa

from pipelines.adapters.keys import Key

BYTES = 16
NOBODY = "0" * 2 * BYTES


def keyed(column: str, key: Key) -> pl.Expr:
    """The first 16 bytes of the column's keyed hash, as 32 hexadecimal digits; null stays null."""
    return polars_hash.col(column).chash.hmac_sha256(key=key.text).str.head(2 * BYTES)  # type: ignore[no-any-return]


def uuids(digits: pl.Series) -> pa.Array:
    """Such digits as UUIDs, which DuckDB takes as they are; a tenth of what its own conversion costs."""
    # A slice of a column shares its buffers: one array of its own begins at its beginning.
    told = pa.concat_arrays([digits.is_not_null().to_arrow()])
    text = pa.concat_arrays([digits.fill_null(NOBODY).to_arrow(compat_level=pl.CompatLevel.oldest())])
    octets = binascii.unhexlify(text.buffers()[2][: 2 * BYTES * len(digits)]) if len(digits) else b""
    storage = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(BYTES), len(digits), [told.buffers()[1], pa.py_buffer(octets)], digits.null_count()
    )
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)
