"""`curve`: the voltage along the content of ions, of one crystal or of a list of candidates."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.crystals import CRYSTAL_HELP, given_crystal
from core.cli.output import parsed_ion
from core.cli.runs import (
    add_action,
    add_cluster,
    add_common,
    add_group,
    cluster_of,
    run_here,
    run_in_turn,
    state_words,
)
from core.errors import SourceError
from core.ions import WORKING_IONS

if TYPE_CHECKING:
    from core.calculations.kinds.curve import CurveSpec

_RUN_HELP = """\
Orders ions and gaps over the ions' sites at several contents, ranks all orderings that differ by symmetry by a
potential, relaxes the lowest, and draws the hull: ground states and the voltage of each step. The relaxed ends come
first, as a run of their own. Some minutes; Ctrl-C stops, and the same command goes on.
"""
_CAMPAIGN_HELP = """\
Does the curves of the candidates that a file names, one id a line, in its order. Finished ones are passed over, so that
a stopped campaign goes on; two processes with MGC_CPU_SLOTS=2 share one. `runs merge` puts the results into a release.
"""
_LONG_FIELDS: Final = ("points", "ground_states", "provenance")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `curve` with its own commands."""
    actions = add_group(commands, "curve", "voltage along the content of ions", "Voltage curves, as runs.")
    text = "the curve of a structure file or a candidate"
    sub = add_action(actions, "run", run, text, description=_RUN_HELP)
    sub.add_argument("structure", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    _add_options(sub)
    text = "the curves of many candidates"
    sub = add_action(actions, "campaign", campaign, text, description=_CAMPAIGN_HELP)
    add_cluster(sub)
    sub.add_argument("--ids-file", type=Path, required=True, help="text file with an id a line")
    _add_options(sub)
    add_common(actions)


def _add_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--potential", help="interatomic potential (default: the most accurate that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    sub.add_argument(
        "--max-sites", type=int, help="most atoms of the cell (default 60, or the crystal's own cell)"
    )
    sub.add_argument("--relaxed", type=int, help="orderings relaxed at each content (default 3)")


def run(arguments: argparse.Namespace) -> int:
    """Do the curve of one crystal here; 0 once it has a verdict."""
    spec = _spec(given_crystal(arguments.structure), arguments.ion, arguments)
    return run_here(spec, arguments.output, leave_out=_LONG_FIELDS, kept="Ground states")


def campaign(arguments: argparse.Namespace) -> int:
    """Do the curves one after another, one line each; 0 when all are finished."""
    from core.store import open_reader

    ids = _ids(arguments.ids_file)
    with open_reader() as reader:
        specs = [_spec(reader.crystal(id), reader.release.working_ion, arguments) for id in ids]
    return run_in_turn(
        specs,
        arguments.output,
        lambda job, seen, finished: f"{seen}/{len(specs)} {state_words(job)}",
        cluster_of(arguments),
    )


def _ids(path: Path) -> list[str]:
    ids = [
        word for line in path.read_text(encoding="utf-8").splitlines() if (word := line.split("#")[0].strip())
    ]
    if not ids:
        raise SourceError(f"{path} names no candidate; give an id a line.")
    return list(dict.fromkeys(ids))


def _spec(crystal: Any, ion: str, arguments: argparse.Namespace) -> "CurveSpec":
    from core.calculations.kinds.curve import CurveSpec
    from core.potentials import DEFAULT_POTENTIAL

    return CurveSpec.planned(
        crystal, ion, potential=arguments.potential or DEFAULT_POTENTIAL, device=arguments.device,
        max_sites=arguments.max_sites, n_relaxed=arguments.relaxed,
    )  # fmt: skip
