"""`train-potential` and `package-potential`: make `nequip-mg` from its teacher, and packages for nequip's own tools."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.output import StageBars, note
from core.settings import Settings

if TYPE_CHECKING:
    from core.potentials.nequip_mg.dataset import Selection
    from core.store import Reader

_HELP = """\
Distils the small potential nequip-mg from nequip-mp: labels strained, rattled and hot frames of the magnesium shortlist
(candidates above the two limits), trains with nequip-train, lets the student run at 800 to 1500 K, labels where it
went, and trains again, twice. Some two and a half hours on two cores; a stopped run goes on where it was; several
processes may label.

Writes weights, card and the frames held out for testing to the folder of potentials.
"""

_PACKAGE_HELP = """\
Writes a NequIP potential as a package for nequip's own tools, which need neither this project nor sevenn to load it:

    from nequip.model import ModelFromPackage
    model = ModelFromPackage("nequip-mg.nequip.zip")

The weights are those shipped, in single precision. Takes some twenty seconds.
"""

LITERATURE_IDS: Final = ("mvc-27", "mp-32006", "mp-19202", "mp-1265")
"""MgTi2S4, MgMn2O4 and MgCr2O4 spinels and MgO: known conductors and insulators, always among the crystals."""

LITERATURE_FILES: Final = ("MgSc2Se4.cif",)
N_CRYSTALS: Final = 500
N_MORE: Final = 500
"""Crystals of the last round: any candidates of the same elements, whatever their voltage."""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `train-potential` and `package-potential`."""
    raw = argparse.RawDescriptionHelpFormatter
    train = commands.add_parser(
        "train-potential",
        help="train the potential for molecular dynamics",
        description=_HELP,
        formatter_class=raw,
    )
    train.add_argument("--ion", default="Mg", help="working ion that is taken out of cells (default Mg)")
    train.add_argument("--min-voltage-v", type=float, default=2.5, help="of the shortlist (default 2.5)")
    train.add_argument(
        "--min-capacity-ah-per-l", type=float, default=600.0, help="of the shortlist (default 600)"
    )
    train.add_argument("--seed", type=int, default=0, help="seed of frames, split and weights (default 0)")
    train.add_argument(
        "--work", type=Path, help="folder of frames and checkpoints (default checkpoints/nequip-mg)"
    )
    train.add_argument("--potentials", type=Path, help="folder to write to (default precomputed/potentials)")
    train.set_defaults(run=run_train)
    package = commands.add_parser(
        "package-potential",
        help="write a potential as a package for nequip's own tools",
        description=_PACKAGE_HELP,
        formatter_class=raw,
    )
    package.add_argument("name", help="nequip-mp or nequip-mg")
    package.add_argument(
        "-o", "--output", type=Path, help="file to write (default NAME.nequip.zip in this folder)"
    )
    package.set_defaults(run=run_package)


def run_package(arguments: argparse.Namespace) -> int:
    """Write the package and say where it went."""
    from core.potentials.package import SUFFIX, package

    target = package(arguments.name, arguments.output or Path(f"{arguments.name}{SUFFIX}"))
    note(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB).")
    return 0


def run_train(arguments: argparse.Namespace) -> int:
    """Train, with a bar a stage, and say where the potential went and how good it is."""
    from core.potentials import load_potential
    from core.potentials.nequip_mg.build import Plan, distil, publish
    from core.store import open_reader

    settings = Settings.from_environment()
    work = arguments.work or settings.checkpoints / "nequip-mg"
    target = arguments.potentials or settings.precomputed / "potentials"
    selection = _selection(open_reader(), arguments)
    teacher = load_potential("nequip-mp", device="auto", dtype="float32")
    plan = Plan(seed=arguments.seed)
    with StageBars() as bars:
        distil(selection, teacher, working_ion=arguments.ion, folder=work, plan=plan, progress=bars.update)
    publish(selection, work, target, plan=plan)
    note(f"Wrote {target}/nequip-mg.safetensors, its card and its test frames.")
    note("Its errors: python -m benchmarks.potential_errors")
    return 0


def _selection(reader: "Reader", arguments: argparse.Namespace) -> "Selection":
    from core.potentials.nequip_mg.dataset import select, with_more
    from core.screening import Thresholds, rank_for_dynamics
    from core.sources.files import read_structure_file

    every = reader.screen()
    rows = every[
        (every.voltage_v > arguments.min_voltage_v)
        & (every.capacity_vol_ah_per_l > arguments.min_capacity_ah_per_l)
    ]
    ranked = [reader.crystal(id) for id in rank_for_dynamics(rows, Thresholds()).id]
    always = [reader.crystal(id) for id in LITERATURE_IDS]
    folder = Settings.from_environment().precomputed / "structures"
    always += [crystal for name in LITERATURE_FILES for crystal in read_structure_file(folder / name)]
    selection = select(ranked, n_train=N_CRYSTALS, seed=arguments.seed, always=always)
    candidates = [reader.crystal(id) for id in sorted(every.id)]
    return with_more(selection, candidates, n=N_MORE, seed=arguments.seed)
