"""`predict`: voltage with its interval and capacity of structures given as files, one CSV row each, in their order."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.growing import growing_output
from core.cli.output import note, parsed_ion, progress
from core.csv_text import write_rows
from core.errors import SourceError
from core.ions import WORKING_IONS

if TYPE_CHECKING:
    from core.service.predict import PredictedRow

_HELP = """\
PATH is a CIF file, a POSCAR, a folder of them, or JSON lines (.jsonl, .jsonl.gz) with id, lattice, species and
frac; a line's own `working_ion` wins over --ion. Each structure is the discharged one, with its working ion
inside. One that cannot be predicted keeps its row, with the reason in `error`, and the exit status is 1.

Columns: voltage_v, its standard deviation and 90 % interval (V); in_domain (whether the structure resembles the
labelled electrodes) and domain_reason, why not; the largest force (eV/angstrom) and the pressure (GPa) as it was given,
empty where the model does not look (fast, cgcnn); relaxed_by and relaxed_volume_change with --relax; model (who
predicts); capacity with all working ions out and with those that the redox metals can pay for (Ah/L, mAh/g); p_all, the
chance to lie above 3.0 V and 800 Ah/L of redox-limited capacity; the verdict from the crystal alone, with what is
against it and what is not known; error.

With -o rows go to FILE.part as they are made, which becomes FILE at the end. A run that was stopped goes on with
--resume and the same structures; every row says which model made it.
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
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--relax", action="store_true",
        help="relax cell and ions of each structure first (ten seconds to minutes each)",
    )  # fmt: skip
    how.add_argument(
        "--cascade", action="store_true",
        help="for thousands: quick models first, the accurate one for what could pass 2.5 V and 600 Ah/L",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true", help="go on after the rows of a run that was stopped"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict every structure; return 1 if any row carries an error."""
    from core.service.predict import COLUMNS, predict_files

    if arguments.resume and arguments.output is None:
        raise SourceError("--resume goes on with a file; name it with -o.")
    with growing_output(arguments.output, COLUMNS, resume=arguments.resume) as (stream, done):
        predictions = predict_files(
            arguments.paths, arguments.ion, arguments.model, cascade=arguments.cascade, relax=arguments.relax,
            done=done,
        )  # fmt: skip
        failures = [bool(row["error"]) for row in done]
        rows = write_rows(stream, COLUMNS, _counted(predictions, failures), header=not done) + len(done)
        if not rows:
            raise SourceError(
                "No structure files found; CIF, POSCAR, .json, .jsonl and .jsonl.gz files are read."
            )
    if any(failures):
        note(f"{sum(failures)} of {rows} structures could not be predicted; the `error` column says why.")
    return 1 if any(failures) else 0


def _counted(predictions: Iterable["PredictedRow"], failures: list[bool]) -> Iterator[dict[str, Any]]:
    """The rows by column, with a bar; whether each failed is added to `failures`."""
    with progress(desc="predict", unit=" structures", initial=len(failures)) as bar:
        for row in predictions:
            failures.append(bool(row.error))
            bar.update()
            yield row.as_dict()
