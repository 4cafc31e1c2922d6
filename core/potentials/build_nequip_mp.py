"""Makes the shipped `nequip-mp` again, from the checkpoint in the `sevenn` wheel.

    python -m core.potentials.build_nequip_mp

The only place where `sevenn` is needed. The result is checked against `sevenn` at the end.
"""

from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.build import bulk

from core.artifacts import write_text
from core.errors import ModelError
from core.potentials import sevennet
from core.potentials.base import Potential
from core.potentials.files import shipped_folder, write_potential
from core.potentials.nequip_mp.architecture import Shape, build_network
from core.potentials.nequip_mp.mapping import map_weights, shape_of
from core.potentials.nequip_mp.potential import NAME, NequipMp, read_card, weights_of
from core.provenance import package_versions, sha256_of_file

MAX_DEVIATION: Final = 1e-6
"""eV per atom, eV/angstrom and eV/cubic angstrom: by so much the two may differ in float64."""

_LICENCE_FILE: Final = "licenses/LICENSE"


def build_nequip_mp(folder: Path | None = None) -> dict[str, float]:
    """Write weights, card and licence and return the deviations from `sevenn`.

    Raises `PotentialError` without `sevenn`, `ModelError` if the checkpoint is of another network or the results differ
    by more than `MAX_DEVIATION`.
    """
    folder = folder or shipped_folder()
    config, source = sevennet.read_checkpoint()
    licence, shape = licence_text(), shape_of(config, source)
    network = build_network(shape, dtype="float64", fast=False)
    map_weights(source, network, shape)
    write_potential(folder, NAME, weights_of(network), _card(shape))
    write_text(folder / f"{NAME}.LICENSE.txt", licence)
    ours, theirs = (
        NequipMp(read_card(folder), folder=folder),
        sevennet.SevenNetPotential(sevennet.read_card()),
    )
    differences = deviations(ours, theirs)
    refuse_deviations(differences)
    return differences


def refuse_deviations(differences: dict[str, float]) -> None:
    """Raise `ModelError` if any difference is above `MAX_DEVIATION`."""
    if max(differences.values()) > MAX_DEVIATION:
        raise ModelError(
            f"nequip-mp differs from SevenNet-0 by {differences}, over {MAX_DEVIATION}: a package changed its "
            "conventions. Restore the shipped weights from git and install the pinned versions."
        )


def deviations(first: Potential, second: Potential) -> dict[str, float]:
    """Return the largest differences of energy per atom, forces and stress on three rattled crystals."""
    worst = {"energy_ev_per_atom": 0.0, "force_ev_per_a": 0.0, "stress_ev_per_a3": 0.0}
    for atoms in _crystals():
        one, two = first.evaluate(atoms), second.evaluate(atoms)
        here = (
            abs(one.energy_ev - two.energy_ev) / len(atoms),
            float(np.abs(one.forces_ev_per_a - two.forces_ev_per_a).max()),
            float(np.abs(one.stress_ev_per_a3 - two.stress_ev_per_a3).max()),
        )
        worst = {name: max(old, new) for (name, old), new in zip(worst.items(), here, strict=True)}
    return worst


def _crystals() -> list[Atoms]:
    crystals = [
        bulk("MgO", "rocksalt", a=4.21),
        bulk("ZnS", "zincblende", a=5.41),
        bulk("Mg", "hcp", a=3.2, c=5.2),
    ]
    for seed, atoms in enumerate(crystals):
        atoms *= (2, 1, 1)
        atoms.rattle(0.08, seed=seed)
    return crystals


def _card(shape: Shape) -> dict[str, Any]:
    return {
        "kind": "nequip",
        "title": "NequIP with the weights of SevenNet-0 (11Jul2024)",
        "capabilities": {"describes": True},
        "elements": sorted(shape.elements),
        "cutoff_a": shape.cutoff_a,
        "trained_on": sevennet.TRAINED_ON,
        "energy_scale": sevennet.ENERGY_SCALE,
        "licence": sevennet.LICENCE,
        "source": sevennet.DOI,
        "errors": {},
        "errors_of": "",
        "shape": shape.to_dict(),
        "provenance": {
            "command": "python -m core.potentials.build_nequip_mp",
            "weights": "SevenNet-0 (11Jul2024) in the sevenn wheel, one to one in float64",
            "sevenn": metadata.version("sevenn"),
            "checkpoint_sha256": sha256_of_file(sevennet.checkpoint_path()),
            "versions": package_versions(("nequip", "e3nn", "torch")),
        },
    }


def licence_text() -> str:
    """Return SevenNet's licence out of its wheel, with a line of what it covers. Raises `ModelError`."""
    text = metadata.distribution("sevenn").read_text(_LICENCE_FILE)
    if text is None:
        raise ModelError("The sevenn wheel holds no licence; install the pinned version.")
    return f"{NAME} holds the weights of SevenNet-0, https://github.com/MDIL-SNU/SevenNet, under its licence:\n\n{text}"


if __name__ == "__main__":
    build_nequip_mp()
