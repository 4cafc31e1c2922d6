"""Force and energy errors of `nequip-mg` against its teacher on frames that it never learnt from, CHGNet beside it.

    python -m benchmarks.potential_errors [--potentials nequip-mg chgnet] [--json FILE]

The frames ship in precomputed/potentials/nequip-mg-test.npz: of compositions in the training set, and of compositions
that are not. Intervals (95 %) come from resampling crystals. CHGNet, another universal potential, shows how far apart
two good ones are; its energies are on another scale and left out.
"""

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path

from core.artifacts import write_json
from core.potentials import DEFAULT_POTENTIAL, POTENTIALS, load_potential, potential_card
from core.potentials.files import shipped_folder
from core.potentials.nequip_mg.build import TEST_FRAMES
from core.potentials.nequip_mg.evaluate import ErrorLine, evaluate, read_test_frames
from core.provenance import package_versions


def show(name: str, lines: list[ErrorLine], *, with_energy: bool) -> None:
    print(f"\n{name} against nequip-mp")
    print(f"{'compositions':13} {'frames':9} {'n':>5} {'crystals':>8} {'force MAE (eV/A)':>26} "
          f"{'energy MAE (meV/atom)':>26} {'no force at all':>16}")  # fmt: skip
    for line in lines:
        force = (
            f"{line.force_mae_ev_per_a:.3f} ({line.force_low_ev_per_a:.3f} to {line.force_high_ev_per_a:.3f})"
        )
        energy = (
            f"{1e3 * line.energy_mae_ev_per_atom:.1f} ({1e3 * line.energy_low_ev_per_atom:.1f} to "
            f"{1e3 * line.energy_high_ev_per_atom:.1f})"
        )
        print(
            f"{line.group:13} {line.kind:9} {line.n_frames:5d} {line.n_crystals:8d} {force:>26} "
            f"{energy if with_energy else '-':>26} {line.zero_force_ev_per_a:16.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--potentials", nargs="+", default=["nequip-mg", "chgnet"], choices=POTENTIALS)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    arguments = parser.parse_args()
    frames = read_test_frames(shipped_folder() / TEST_FRAMES)
    print(json.dumps({"machine": platform.machine(), **package_versions(("torch", "nequip", "chgnet"))}))
    scale = potential_card(DEFAULT_POTENTIAL).energy_scale  # it labelled the frames
    errors = {}
    for name in arguments.potentials:
        potential = load_potential(name, device="cpu", dtype="float32")
        lines = evaluate(potential, frames)
        show(name, lines, with_energy=potential.card.energy_scale == scale)
        errors[name] = [asdict(line) for line in lines]
    if arguments.json:
        write_json(arguments.json, errors)


if __name__ == "__main__":
    main()
