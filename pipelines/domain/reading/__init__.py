"""From the bytes of a publication to typed rows, each with its place; what does not fit is refused by name."""
