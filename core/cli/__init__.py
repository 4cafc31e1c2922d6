"""`python -m core`: the same functions that the pages call, from a terminal.

One module a command group, each with `add_commands(subparsers)`; heavy imports wait until a command runs, so that
`--help` answers at once. Exit status: 0 all went well, 1 some rows carry an error, 2 wrong usage or nothing done.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import core
from core.cli import (
    barrier,
    build,
    curve,
    dft,
    export,
    hull,
    inside,
    mlmd,
    potential,
    predict,
    relax,
    release,
    runs,
    voltage,
)
from core.errors import ExplorerError

EXIT_USAGE = 2
_SCRIPT, _AS_MODULE = "mgcathodes", "python -m core"
EXIT_INTERRUPTED = 130

_EXAMPLES = """\
examples:
  python -m core predict spinel.cif                       voltage and capacity of one structure, to the screen
  python -m core predict structures/ --ion Ca -o ca.csv   a folder of CIF and POSCAR files, as a table
  python -m core export --min-voltage-v 3.0 --min-capacity-ah-per-l 800 -o shortlist.csv
  python -m core mlmd run mp-32006                        molecular dynamics: diffusivity and conductivity
  python -m core build --data ../shared/data              make the database of the explorer again

`python -m core COMMAND --help` tells more about each. The explorer in the browser: `make app`.
"""


class _Parser(argparse.ArgumentParser):
    """An argument parser that refuses wrong usage in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def program() -> str:
    """Return how this command was called: by its console script, or as a module of a clone."""
    return _SCRIPT if Path(sys.argv[0]).name == _SCRIPT else _AS_MODULE


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command group in its place."""
    parser = _Parser(
        prog=program(),
        description="Voltages and capacities of magnesium (and other) intercalation cathodes.",
        epilog=_EXAMPLES.replace(_AS_MODULE, program()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=core.__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for group in (
        predict,
        export,
        mlmd,
        relax,
        curve,
        barrier,
        dft,
        runs,
        build,
        release,
        voltage,
        inside,
        potential,
        hull,
    ):
        group.add_commands(commands)
    return parser


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except BrokenPipeError:
        # The reader of our output went away (`| head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ExplorerError, OSError) as error:
        print(f"{program()} {arguments.command}: {_one_line(error)}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print(f"{program()} {arguments.command}: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
