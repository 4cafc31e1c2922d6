"""`hull`: what stability is judged by, of the reference data: stable phases and the fit of formation energies."""

import argparse
from pathlib import Path
from typing import Any, Final

from core.cli.output import StageBars, add_data_option, note, reference_data
from core.settings import Settings

_PHASES_HELP = """\
Keeps of the table of formation energies those compositions that are on the hull of their own chemical system, and
writes them with a card to precomputed/hull. Some five to ten minutes.
"""
_FIT_HELP = """\
Fits what puts a potential's energies on the scale of the hull: single points of the electrodes' structures (some 25
minutes on one core, kept in a file, so that a stopped one goes on), then references by element with their error by
cross-validation. Writes precomputed/hull/formation.safetensors and its card. `python -m benchmarks.hull` shows errors.
"""
MADE_BY: Final = "python -m core hull"


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `hull phases` and `hull fit`."""
    parser = commands.add_parser(
        "hull", help="make what stability is judged by", description="Stable phases and formation energies."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    form = argparse.RawDescriptionHelpFormatter
    phases = actions.add_parser(
        "phases", help="the stable phases", description=_PHASES_HELP, formatter_class=form
    )
    phases.set_defaults(run=run_phases)
    fit = actions.add_parser(
        "fit", help="formation energies from a potential", description=_FIT_HELP, formatter_class=form
    )
    fit.add_argument("--potential", help="interatomic potential (default: the most accurate that ships)")
    fit.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    fit.add_argument("--work", type=Path, help="folder of the single points (default checkpoints/hull)")
    fit.set_defaults(run=run_fit)
    for sub in (phases, fit):
        add_data_option(sub)
        sub.add_argument("--output", type=Path, help="folder to write to (default precomputed/hull)")


def run_phases(arguments: argparse.Namespace) -> int:
    """Write the stable phases and say how many there are."""
    from core.provenance import sha256_of_file
    from core.stability.phases import (
        LICENCE,
        SOURCE,
        TABLE,
        Phases,
        hull_folder,
        read_table,
        stable_phases,
        write_phases,
    )

    table = reference_data(arguments.data) / TABLE
    rows = read_table(table)
    with StageBars() as bars:
        stable = stable_phases(
            Phases(rows, version=TABLE), lambda done, total: bars.update("hulls", done, total)
        )
    card = {
        "source": SOURCE, "licence": LICENCE, "vintage": "2019/2020, GGA and GGA+U, corrections of that time",
        "made_by": f"{MADE_BY} phases", "made_of": TABLE, "made_of_sha256": sha256_of_file(table),
        "n_compositions": len(rows),
        "what": "Compositions on the hull of their own chemical system; elements are 0 by definition and not listed.",
        "not_for": "Voltage models: a voltage is a difference of these energies.",
    }  # fmt: skip
    path = write_phases(arguments.output or hull_folder(), stable, card)
    note(f"Wrote {path}: {len(stable):,} of {len(rows):,} compositions, {path.stat().st_size / 1e3:.0f} kB.")
    return 0


def run_fit(arguments: argparse.Namespace) -> int:
    """Fit formation energies and say how far they are off."""
    from core.potentials import DEFAULT_POTENTIAL, load_potential
    from core.stability.fitting import fit_and_describe
    from core.stability.formation import write_formation_model
    from core.stability.labels import read_labelled, shifts, single_points
    from core.stability.phases import LICENCE, TABLE, hull_folder, read_table

    data = reference_data(arguments.data)
    work = arguments.work or Settings.from_environment().checkpoints / "hull"
    potential = load_potential(
        arguments.potential or DEFAULT_POTENTIAL, device=arguments.device, dtype="float32"
    )
    labelled = read_labelled(data)
    shifts_ev = shifts(labelled, read_table(data / TABLE))
    with StageBars() as bars:
        energies_ev = single_points(
            [it.crystal for it in labelled], potential, work / f"single-points-{potential.name}.jsonl",
            lambda done, total: bars.update("single points", done, total),
        )  # fmt: skip
    model, about = fit_and_describe(labelled, energies_ev, shifts_ev, potential)
    about |= {"made_by": f"{MADE_BY} fit", "licence": LICENCE}
    write_formation_model(arguments.output or hull_folder(), model, about)
    for name, errors in about["cross_validated"].items():
        note(f"{name}: n {errors['n']}, MAE {1000 * errors['mae_ev_per_atom']:.1f} meV/atom")
    return 0
