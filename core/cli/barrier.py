"""`barrier`: how high an ion must climb through a host, of a crystal, of candidates, or of the hops of a file."""

import argparse
from pathlib import Path
from typing import Any, Final

from core.cli.crystals import CRYSTAL_HELP, given_crystal
from core.cli.output import note, open_output, parsed_ion, progress
from core.cli.runs import add_cluster, cluster_of, run_here, run_in_turn, state_words
from core.csv_text import write_rows
from core.errors import SourceError
from core.ions import WORKING_IONS
from core.thresholds import ASKED, PAPER_CAPACITY_AH_PER_L, PAPER_VOLTAGE_V

_HELP = """\
CIF_OR_ID: relaxes both ends of charging, works out one hop of each kind that symmetry tells apart, with a vacancy in
the full host and with one ion in the empty one, and says at which barrier ions get on without end in one, two and three
dimensions. Minutes; Ctrl-C stops, and the same command goes on.

campaign: the same for all candidates of the release with electrons to give above the limits, in the order of the
default view. Finished ones are passed over, so that a stopped campaign goes on; `runs merge` puts them into a release.

--paths FILE: the hops of a .jsonl or .jsonl.gz file, a line each with id, mover, lattice, species and frac of the other
atoms, start and end of the mover. One CSV row each, in their order: id, barrier_ev (larger of the climbs there and
back), barrier_std_ev, potential, converged, verdict (hop, wild, no site, cannot be read, not possible), error. A
stopped command goes on from OUT.csv.partial; the exit status is 1 if any row carries an error.
"""
_LONG_FIELDS: Final = ("ends", "hops", "provenance")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `barrier`."""
    parser = commands.add_parser(
        "barrier",
        help="migration barriers of a crystal, or of the hops of a file",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("structure", nargs="?", metavar="CIF_OR_ID|campaign", help=CRYSTAL_HELP)
    what.add_argument("--paths", type=Path, metavar="FILE", help="hops, one JSON line each")
    parser.add_argument(
        "--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}"
    )
    parser.add_argument(
        "--potential",
        help="interatomic potential (default: nequix-oam, guided by nequip-mp, where its weights lie, else nequip-mp)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    parser.add_argument(
        "-o", "--output", type=Path,
        help="CSV file to write with --paths (default: standard output), else folder of the runs (MGC_RUNS, runs/)",
    )  # fmt: skip
    for name, limit, what_of in (
        ("--min-voltage-v", PAPER_VOLTAGE_V, "predicted voltage"),
        ("--min-capacity-ah-per-l", PAPER_CAPACITY_AH_PER_L, "capacity, all ions out,"),
    ):
        parser.add_argument(
            name, type=float, default=limit, help=f"campaign: {what_of} above this (default {limit:g})"
        )
    parser.add_argument("--top", type=int, help="campaign: the first so many (default all)")
    add_cluster(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work out the barrier of a crystal, or of every hop of a file."""
    if arguments.paths is not None:
        return _of_file(arguments)
    return _campaign(arguments) if arguments.structure == "campaign" else _of_crystal(arguments)


def _of_crystal(arguments: argparse.Namespace) -> int:
    from core.calculations.kinds.barrier import BarrierSpec

    spec = BarrierSpec.planned(
        given_crystal(arguments.structure), arguments.ion, potential=arguments.potential,
        device=arguments.device,
    )  # fmt: skip
    return run_here(spec, arguments.output, leave_out=_LONG_FIELDS, kept="All hops")


def _campaign(arguments: argparse.Namespace) -> int:
    from core.calculations.kinds.barrier import BarrierSpec
    from core.screening import ranked
    from core.store import open_reader

    with open_reader() as reader:
        frame = ranked(reader.screen(), ASKED)
        passes = (frame.voltage_v > arguments.min_voltage_v) & (
            frame.capacity_vol_ah_per_l > arguments.min_capacity_ah_per_l
        )
        ids = frame[passes & (frame.capacity_redox_vol_ah_per_l > 0.0)].id.head(arguments.top or len(frame))
        specs = [
            BarrierSpec.planned(
                reader.crystal(id), reader.release.working_ion,
                potential=arguments.potential, device=arguments.device,
            )
            for id in ids
        ]  # fmt: skip
    return run_in_turn(
        specs, arguments.output, lambda job, seen, finished: f"{seen}/{len(specs)} {state_words(job)}",
        cluster_of(arguments),
    )  # fmt: skip


def _of_file(arguments: argparse.Namespace) -> int:
    from core.service.barriers import COLUMNS, barrier_potential, barrier_rows, load_with_guide, read_lines

    lines = read_lines(arguments.paths)
    if not lines:
        raise SourceError(f"{arguments.paths} holds no hops.")
    name = arguments.potential or barrier_potential()
    potential, guide = load_with_guide(name, arguments.device)
    note(f"Barriers by {name}" + ("." if guide is None else f", paths by {guide.name}."))
    output: Path | None = arguments.output
    partial = None if output is None else output.with_name(f"{output.name}.partial")
    with open_output(output) as stream:
        rows = list(
            progress(
                barrier_rows(lines, potential, partial, guide),
                total=len(lines),
                desc="barrier",
                unit=" hops",
            )
        )
        write_rows(stream, COLUMNS, rows)
    if partial is not None:
        partial.unlink(missing_ok=True)
    failures = sum(row["error"] is not None for row in rows)
    if failures:
        note(f"{failures} of {len(rows)} hops have no barrier; the `error` column says why.")
    return 1 if failures else 0
