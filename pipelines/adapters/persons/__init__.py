"""Person-level files: from the sealed bytes to accepted rows that hold no identifier, in one pass."""
