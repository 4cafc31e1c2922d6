"""`predict`: voltage with its interval and capacity of structures given as files, one CSV row each, in their order."""

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.output import note, open_output, parsed_ion, progress, write_rows
from core.errors import ExplorerError, SourceError
from core.ions import WORKING_IONS, charge_number

if TYPE_CHECKING:
    from core.records import Crystal, FailedInput, VoltagePrediction
    from core.voltage import VoltageModel

COLUMNS: Final = (
    "id", "formula", "working_ion", "voltage_v", "voltage_std_v", "voltage_low_v", "voltage_high_v", "in_domain",
    "capacity_vol_ah_per_l", "capacity_grav_mah_per_g", "error",
)  # fmt: skip

_CHUNK = 512  # structures held in memory at a time: a file of 380,000 must fit too

_HELP = """\
PATH is a CIF file, a POSCAR, a folder of them, or JSON lines (.jsonl, .jsonl.gz) with id, lattice, species and
frac; a line's own `working_ion` wins over --ion. Each structure is the discharged one, with its working ion
inside. One that cannot be predicted keeps its row, with the reason in `error`, and the exit status is 1.

Columns: voltage_v, its standard deviation and 90 % interval (V); in_domain (whether the structure resembles the
labelled electrodes); capacity with all working ions out (Ah/L, mAh/g); error.
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
        "--model", default="default", help="voltage model in precomputed/models (default: the best)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict every structure; return 1 if any row carries an error."""
    for path in arguments.paths:
        if not path.exists():
            raise SourceError(
                f"{path} is not there; give a CIF, a POSCAR, a folder of them, or a .jsonl file."
            )
    from core.sources.files import read_paths
    from core.voltage import load_voltage_model

    inputs = read_paths(arguments.paths, arguments.ion)
    model = load_voltage_model(arguments.model)
    failures = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal failures
        with progress(desc="predict", unit=" structures") as bar:
            for row in predicted_rows(inputs, arguments.ion, model):
                failures += bool(row["error"])
                bar.update()
                yield row

    with open_output(arguments.output) as stream:
        rows = write_rows(stream, COLUMNS, counted())
        if not rows:
            raise SourceError(
                "No structure files found; CIF, POSCAR, .json, .jsonl and .jsonl.gz files are read."
            )
    if failures:
        note(f"{failures} of {rows} structures could not be predicted; the `error` column says why.")
    return 1 if failures else 0


def predicted_rows(
    inputs: "Iterable[Crystal | FailedInput]", default_ion: str, model: "VoltageModel"
) -> Iterator[dict[str, Any]]:
    """Yield one row (keys as `COLUMNS`) for each input, in order, predicting a chunk at a time."""
    from core.records import Crystal

    stream = iter(inputs)
    while chunk := list(islice(stream, _CHUNK)):
        crystals = [item for item in chunk if isinstance(item, Crystal)]
        ions = [crystal.working_ion or default_ion for crystal in crystals]
        predictions = iter(model.predict(crystals, ions))
        for item in chunk:
            if isinstance(item, Crystal):
                yield _predicted_row(item, next(predictions))
            else:
                yield _failed_row(item, default_ion)


def _predicted_row(crystal: "Crystal", prediction: "VoltagePrediction") -> dict[str, Any]:
    from core.capacity import capacity

    row: dict[str, Any] = {
        name: getattr(prediction, name) for name in COLUMNS if not name.startswith("capacity")
    }
    if prediction.error is None:
        try:
            found = capacity(crystal, prediction.working_ion, charge_number(prediction.working_ion))
        except ExplorerError as error:
            row["error"] = str(error)
        else:
            row["capacity_vol_ah_per_l"] = found.capacity_vol_ah_per_l
            row["capacity_grav_mah_per_g"] = found.capacity_grav_mah_per_g
    return row


def _failed_row(item: "FailedInput", default_ion: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "formula": item.formula,
        "working_ion": item.working_ion or default_ion,
        "error": item.reason,
    }
