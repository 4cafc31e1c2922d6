"""`relax`: the relaxed ends of charging, of one crystal or of all candidates that could be cathodes."""

import argparse
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
from core.ions import WORKING_IONS
from core.thresholds import SCOPE_CAPACITY_AH_PER_L, SCOPE_VOLTAGE_V

if TYPE_CHECKING:
    import pandas as pd

    from core.calculations.kinds.relaxation import RelaxationSpec
    from core.records import Crystal

_RUN_HELP = """\
Relaxes a crystal with and without its working ions under a potential, cell and ions: whether the host keeps its
framework, and the voltage between the two. Seconds to a minute; Ctrl-C stops, and the same command goes on.
"""
_CAMPAIGN_HELP = """\
Relaxes the candidates of the release that hold a redox metal and an anion and pass the limits, best first. Finished
ones are passed over, so that a stopped campaign goes on; two processes with MGC_CPU_SLOTS=2 share one. `runs merge`
puts the results into a release.
"""
_LONG_FIELDS: Final = ("discharged", "charged", "redox", "provenance")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `relax` with its own commands."""
    text = "host with and without its ions, relaxed"
    actions = add_group(commands, "relax", text, "Relaxed ends of charging, as runs.")
    sub = add_action(actions, "run", run, "relax a structure file or a candidate", description=_RUN_HELP)
    sub.add_argument("structure", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    _add_potential(sub)
    text = "all candidates that could be cathodes"
    sub = add_action(actions, "campaign", campaign, text, description=_CAMPAIGN_HELP)
    sub.add_argument(
        "--min-voltage-v",
        type=float,
        default=SCOPE_VOLTAGE_V,
        help=f"predicted voltage above this (default {SCOPE_VOLTAGE_V:g})",
    )
    sub.add_argument(
        "--min-capacity-ah-per-l",
        type=float,
        default=SCOPE_CAPACITY_AH_PER_L,
        help=f"capacity, all ions out, above this (default {SCOPE_CAPACITY_AH_PER_L:g})",
    )
    sub.add_argument(
        "--labelled", action="store_true", help="those with a public label too, whatever they pass"
    )
    sub.add_argument("--top", type=int, help="the first so many (default all)")
    add_cluster(sub)
    _add_potential(sub)
    add_common(actions)


def _add_potential(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--potential", help="interatomic potential (default: the most accurate that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")


def run(arguments: argparse.Namespace) -> int:
    """Relax one crystal here; 0 once it has a verdict."""
    spec = _spec(given_crystal(arguments.structure), arguments.ion, arguments)
    return run_here(spec, arguments.output, leave_out=_LONG_FIELDS, kept="Relaxed crystals")


def campaign(arguments: argparse.Namespace) -> int:
    """Relax the candidates one after another, one line each; 0 when all are finished."""
    from core.screening import Thresholds, rank_for_dynamics
    from core.store import SCREEN_COLUMNS, open_reader

    with open_reader() as reader:
        frame = reader.screen(columns=(*SCREEN_COLUMNS, "has_anion", "redox_metals"))
        chosen = _chosen(frame, arguments)
        ranked = rank_for_dynamics(frame[chosen], Thresholds()).head(arguments.top or len(frame))
        ion = reader.release.working_ion
        specs = [_spec(reader.crystal(id), ion, arguments) for id in ranked.id]
    return run_in_turn(
        specs,
        arguments.output,
        lambda job, seen, finished: f"{seen}/{len(specs)} {state_words(job)}",
        cluster_of(arguments),
    )


def _spec(crystal: "Crystal", ion: str, arguments: argparse.Namespace) -> "RelaxationSpec":
    from core.calculations.kinds.relaxation import RelaxationSpec
    from core.potentials import DEFAULT_POTENTIAL

    return RelaxationSpec.planned(
        crystal, ion, device=arguments.device, potential=arguments.potential or DEFAULT_POTENTIAL
    )


def _chosen(frame: "pd.DataFrame", arguments: argparse.Namespace) -> "pd.Series[bool]":
    could_be = frame.has_anion & (frame.redox_metals.str.len() > 0)
    passes = (frame.voltage_v > arguments.min_voltage_v) & (
        frame.capacity_vol_ah_per_l > arguments.min_capacity_ah_per_l
    )
    chosen: pd.Series[bool] = could_be & passes
    return chosen | frame.mp_average_voltage_v.notna() if arguments.labelled else chosen
