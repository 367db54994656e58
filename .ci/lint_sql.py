"""sqlfluff without Python's garbage collector, which takes a third of its time and finds next to nothing.

A file and no one-liner, because the processes that sqlfluff starts read it anew, and leave the collector off too.
"""

import gc

gc.disable()

if __name__ == "__main__":
    from sqlfluff.cli.commands import cli

    cli()
