"""The way out: the release gate and the release itself."""
