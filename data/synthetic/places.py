"""Invented place names, in a fixed order."""

from __future__ import annotations

_STARTS = (
    "North",
    "Quill",
    "Thistle",
    "Ember",
    "Larks",
    "Otter",
    "Juniper",
    "Marl",
    "Sable",
    "Tarn",
    "Umber",
    "Violet",
    "Wren",
)
_ENDS = ("moor", "wick", "mere", "holt", "combe", "stow", "garth", "beck", "dale", "thorpe")

PLACES = tuple(start + end for end in _ENDS for start in _STARTS)
