"""`predict`: voltage with its interval and capacity of structures given as files, one CSV row each, in their order."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cli.output import note, open_output, parsed_ion, progress
from core.csv_text import write_rows
from core.errors import SourceError
from core.ions import WORKING_IONS

_HELP = """\
PATH is a CIF file, a POSCAR, a folder of them, or JSON lines (.jsonl, .jsonl.gz) with id, lattice, species and
frac; a line's own `working_ion` wins over --ion. Each structure is the discharged one, with its working ion
inside. One that cannot be predicted keeps its row, with the reason in `error`, and the exit status is 1.

Columns: voltage_v, its standard deviation and 90 % interval (V); in_domain (whether the structure resembles the
labelled electrodes); model (who predicts); capacity with all working ions out and with those that the redox metals can
pay for (Ah/L, mAh/g); p_all, the chance to lie above 3.0 V and 800 Ah/L of redox-limited capacity; the verdict from the
crystal alone, with what is against it; error.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `predict`."""
    parser = commands.add_parser(
        "predict",
        help="voltage and capacity of structure files, as CSV",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="structure file or folder")
    parser.add_argument(
        "--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)} (default Mg)"
    )
    parser.add_argument("-o", "--output", type=Path, help="CSV file to write (default: standard output)")
    parser.add_argument(
        "--model", default="default",
        help="voltage model in precomputed/models: default (the most accurate), fast, or a name such as cgcnn",
    )  # fmt: skip
    parser.add_argument(
        "--cascade", action="store_true",
        help="for thousands: quick models first, the accurate one for what could pass 2.5 V and 600 Ah/L",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict every structure; return 1 if any row carries an error."""
    from core.service.predict import COLUMNS, predict_files

    predictions = predict_files(arguments.paths, arguments.ion, arguments.model, cascade=arguments.cascade)
    failures = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal failures
        with progress(desc="predict", unit=" structures") as bar:
            for row in predictions:
                failures += bool(row.error)
                bar.update()
                yield row.as_dict()

    with open_output(arguments.output) as stream:
        rows = write_rows(stream, COLUMNS, counted())
        if not rows:
            raise SourceError(
                "No structure files found; CIF, POSCAR, .json, .jsonl and .jsonl.gz files are read."
            )
    if failures:
        note(f"{failures} of {rows} structures could not be predicted; the `error` column says why.")
    return 1 if failures else 0
