"""The COVID datastore: feeds in, one curated and published datastore out."""
