"""What tests of several kinds share: stores and commands."""
