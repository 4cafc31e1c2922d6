"""The ASE calculator that all potentials share."""

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from core.potentials.base import Potential


class PotentialCalculator(Calculator):
    """ASE's calculator on top of a `Potential`; every call gives energy, forces and stress.

    "energies" of the sites and "magmoms" (sizes) are there where the potential knows them.

    Errors are those of `Potential.evaluate`. What it adds to a package's own calculator: elements checked, arrays made
    contiguous, torch's default type set and put back.
    """

    implemented_properties = [  # noqa: RUF012 (as in ASE)
        "energy", "free_energy", "energies", "forces", "stress", "magmoms",
    ]  # fmt: skip

    def __init__(self, potential: Potential, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.potential = potential

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] | None = None,
    ) -> None:
        """Fill `results` in ASE's units (eV, angstrom, stress as Voigt six)."""
        super().calculate(atoms, properties, system_changes or all_changes)  # type: ignore[no-untyped-call]
        current: Any = self.atoms
        evaluation = self.potential.evaluate(current)
        self.results = {
            "energy": evaluation.energy_ev,
            "free_energy": evaluation.energy_ev,
            "forces": evaluation.forces_ev_per_a,
            "stress": full_3x3_to_voigt_6_stress(evaluation.stress_ev_per_a3),
        }
        if evaluation.site_energies_ev is not None:
            self.results["energies"] = evaluation.site_energies_ev
        if evaluation.magnetic_moments_mu_b is not None:
            self.results["magmoms"] = evaluation.magnetic_moments_mu_b
