"""Writers of the real layouts: one module per publication, each from the truth to documents."""
