"""The keyed hash is HMAC-SHA-256, to the bit."""

from __future__ import annotations

import base64
import hashlib
import hmac

import duckdb
import polars as pl
import polars_hash

from pipelines.adapters.keys import Key
from pipelines.adapters.persons.pseudonyms import keyed
from pipelines.adapters.persons.reading import key_text

# RFC 4231, section 4: the cases whose key and data are text (1 and 2, and the data of 6 and 7 below).
VECTORS = [
    ("\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    ("Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
]


def test_vectors_of_rfc_4231() -> None:
    for key, data, digest in VECTORS:
        frame = pl.DataFrame({"data": [data]}).select(polars_hash.col("data").chash.hmac_sha256(key=key))
        assert frame.item() == digest


def test_as_the_standard_library_has_it_and_null_stays_null() -> None:
    key = Key("pseudonym.1", bytes(range(32)))
    texts = ["", "person\x1f9990000018", "é" * 40, "x" * 55, "x" * 56, "x" * 64, "x" * 1000, None]
    made = pl.DataFrame({"text": texts}).select(keyed("text", key)).to_series().to_list()
    secret = base64.b64encode(bytes(range(32)))
    assert made == [
        None if text is None else hmac.digest(secret, text.encode(), hashlib.sha256).hex()[:32] for text in texts
    ]


def test_texts_of_two_domains_are_never_equal() -> None:
    said = [key_text("person", "'A1'"), key_text("apc_spells", "'A'", "'1'"), key_text("apc_spells", "'A1'", "''")]
    texts = duckdb.connect().execute(f"SELECT {', '.join(said)}").fetchone()
    assert texts == ("person\x1fA1", "apc_spells\x1fA\x1f1", "apc_spells\x1fA1\x1f")


def test_a_key_is_not_shown() -> None:
    assert "AAEC" not in repr(Key("pseudonym.1", bytes(range(32))))
