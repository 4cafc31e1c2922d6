"""`export`: the candidates of the shipped database that one would make next, as CSV with where each comes from."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from core.cli.output import note, open_output

_HELP = """\
Writes the candidates above all thresholds against which nothing speaks (verdict `make next` or `open`), best first:
every column of the screening, the verdict with its reasons for and against and what is not known, the score with its
parts, the probability to keep each threshold (from the predicted spread), the energy density of the cathode, the
price of the elements, whether it lies on the Pareto front, licence and provenance id. The capacity that counts is what
the redox metals can pay for. --paper screens as the paper does: by the capacity of all ions, whatever the verdict,
likeliest to pass first.
--final writes the last step of the screening instead: all that pass 3.0 V and 800 Ah/L redox-limited, first those whose
ions get through (barrier below 0.65 eV, conductivity above 100 mS/cm, as far as either is known and clear) and against
which nothing is known (is_final).
With -o FILE a side-car FILE.json names thresholds, release, model and data by their hashes.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `export`."""
    parser = commands.add_parser(
        "export",
        help="the candidates above the thresholds, as CSV",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--min-voltage-v",
        type=finite,
        default=3.0,
        metavar="V",
        help="average voltage against Mg (default 3.0)",
    )
    parser.add_argument(
        "--min-capacity-ah-per-l", type=finite, default=800.0, metavar="AH_PER_L",
        help="volumetric capacity that the redox metals pay for; with --paper all Mg out (default 800)",
    )  # fmt: skip
    parser.add_argument(
        "--min-sigma-ms-per-cm", type=finite, metavar="MS_PER_CM",
        help="Mg conductivity, where computed (default: not asked for)",
    )  # fmt: skip
    parser.add_argument(
        "--max-barrier-ev", type=finite, metavar="EV",
        help="migration barrier, where computed (default: not asked for)",
    )  # fmt: skip
    parser.add_argument(
        "--max-voltage-v", type=finite, metavar="V",
        help="upper end of the voltage, as an electrolyte sets it (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--weights", default="", metavar="PART=W,...",
        help="weights of the score from 0 to 10, as barrier=2,price=0; docs/ranking.md names the parts",
    )  # fmt: skip
    parser.add_argument(
        "--one-per-formula", action="store_true", help="the best polymorph of each formula, with n_polymorphs"
    )
    parser.add_argument(
        "--paper",
        action="store_true",
        help="the paper's definition: capacity of all Mg, no verdict asked for",
    )
    parser.add_argument("--final", action="store_true", help="the final list; takes no limits")
    parser.add_argument("-o", "--output", type=Path, help="CSV file to write (default: standard output)")
    parser.set_defaults(run=run)


def finite(text: str) -> float:
    """Read a threshold; infinity and NaN are refused."""
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number


finite.__name__ = "float"  # argparse names the type in its refusals


def run(arguments: argparse.Namespace) -> int:
    """Write the shortlist, or the final list; an empty one is a result, not an error."""
    if arguments.final:
        return _final(arguments.output)
    from core.service.release import open_reader
    from core.service.screen import Thresholds, Weights, shortlist

    thresholds = Thresholds(
        voltage_v=arguments.min_voltage_v,
        capacity_vol_ah_per_l=arguments.min_capacity_ah_per_l,
        sigma_ms_per_cm=arguments.min_sigma_ms_per_cm,
        barrier_ev=arguments.max_barrier_ev,
        definition="paper" if arguments.paper else "cathode",
        voltage_max_v=arguments.max_voltage_v,
    )
    weights = Weights.parse(arguments.weights)
    with open_reader() as reader:
        chosen = shortlist(reader, thresholds, weights=weights, grouped=arguments.one_per_formula)
    with open_output(arguments.output) as stream:
        stream.write(chosen.csv())
    if arguments.output is not None:
        _write_side_car(arguments.output, chosen.side_car())
    counts = chosen.release.counts
    passed = "pass by the paper's definition" if arguments.paper else "pass with nothing against them"
    rows, formulas = chosen.rows, ""
    if arguments.one_per_formula:
        formulas = f", {len(rows)} formulas: the best polymorph of each is written"
    n_passing = int(rows["n_polymorphs"].sum()) if arguments.one_per_formula else len(rows)
    note(
        f"{n_passing} of {counts['candidates']} candidates {passed}{formulas} (release {chosen.release.version})."
    )
    if thresholds.sigma_ms_per_cm is not None and not counts["conductivities"]:
        note("This release holds no conductivities, so none can pass --min-sigma-ms-per-cm; leave it out.")
    return 0


def _final(output: Path | None) -> int:
    from core.service.final_list import final_csv, final_list, side_car
    from core.service.release import open_reader

    with open_reader() as reader:
        found, release = final_list(reader.screen()), reader.release
    with open_output(output) as stream:
        stream.write(final_csv(found))
    if output is not None:
        _write_side_car(output, side_car(found, release))
    note(
        f"{len(found.final)} on the final list; of {found.n_candidates} candidates {found.n_passing} pass voltage and "
        f"redox-limited capacity, of {found.n_tested} of these a barrier or dynamics is known, and in {found.n_fast} "
        f"ions get through (release {release.version})."
    )
    return 0


def _write_side_car(output: Path, content: dict[str, Any]) -> None:
    with open_output(output.with_name(f"{output.name}.json")) as stream:
        json.dump(content, stream, indent=2)
        stream.write("\n")
