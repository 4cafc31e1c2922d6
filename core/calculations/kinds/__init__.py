"""The kinds of calculation that ship, one module or folder each, with `SPEC` naming its spec class."""
