"""Says whether a dataset is gone: from its certificate, the store, the key store and whatever else is named.

A program of its own. It shares no code with the pipeline, so a mistake there is not repeated here, and it judges the
outcome: what can be found and opened now, not what the pipeline says that it did.
"""
