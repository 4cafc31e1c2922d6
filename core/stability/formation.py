"""Formation energy of a crystal from a potential's energy, on the scale of the hull, with its error.

    E_f = E_pot / N - sum_f x_f mu_f

x_f: share of the atoms that count for a term f; mu_f: fitted, eV. A term is an element, or an element that the
Materials Project gives a Hubbard U (`Mn+U`) because O or F is there. The element's value holds its reference and, for
an anion, its correction; the term with U holds the shift between GGA and GGA+U (Jain and others, Phys. Rev. B 84,
045115 (2011), doi:10.1103/PhysRevB.84.045115). `core.stability.fitting` fits and tests them.

    std = s sqrt(1 + x^T A^-1 x)

A: the normal matrix of the fit, so that a rare element makes the error larger; s: from cross-validated residuals, so
that 90 % of them lie within 1.645 std.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.artifacts import read_card, read_weights, write_weights
from core.errors import HullError
from core.records import FloatArray
from core.stability.phases import hull_folder

U_METALS: Final = frozenset({"Co", "Cr", "Fe", "Mn", "Mo", "Ni", "V", "W"})
"""Metals with a Hubbard U in the Materials Project's oxides and fluorides."""

U_ANIONS: Final = frozenset({"O", "F"})
_REMEDY: Final = "Restore it from git (`git checkout -- precomputed/hull`) or run `python -m core hull fit`."


@dataclass(frozen=True, slots=True, kw_only=True)
class FormationEnergy:
    """A formation energy and its standard error, both eV/atom."""

    value_ev_per_atom: float
    std_ev_per_atom: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FormationModel:
    """What puts a potential's energies on the hull's scale.

    `terms`: m names. `mu_ev`: (m,). `inverse`: (m, m), A^-1. `n_rows`: compounds that held each term. `spread_ev`: s.
    `energy_scale`: of the potential, as its card says.
    """

    energy_scale: str
    terms: tuple[str, ...]
    mu_ev: FloatArray
    inverse: FloatArray
    spread_ev: float
    n_rows: Mapping[str, int]

    def predict(
        self, composition: Mapping[str, float], energy_ev: float, energy_scale: str
    ) -> FormationEnergy:
        """Return the formation energy of a cell of these atoms and this energy, eV.

        Raises `HullError` for an energy of another scale or not finite, and for an element that the fit never saw.
        """
        if energy_scale != self.energy_scale:
            raise HullError(
                f"Energies on the scale {energy_scale!r} can't be put on the hull; formation energies were fitted to "
                f"{self.energy_scale!r}. Relax with a potential of that scale, such as the default one."
            )
        if not math.isfinite(energy_ev):
            raise HullError(f"An energy of {energy_ev} eV is none; relax the crystal again.")
        shares = self._shares(composition)
        value = energy_ev / sum(composition.values()) - float(shares @ self.mu_ev)
        std = self.spread_ev * math.sqrt(1.0 + float(shares @ self.inverse @ shares))
        return FormationEnergy(value_ev_per_atom=value, std_ev_per_atom=std)

    def _shares(self, composition: Mapping[str, float]) -> FloatArray:
        """(m,) shares of the terms; raise `HullError` for one that was not fitted."""
        shares = terms_of(composition)
        unknown = sorted(shares.keys() - set(self.terms))
        if unknown:
            raise HullError(
                f"No compound with {', '.join(unknown)} stands behind the fit of formation energies, so that the "
                "distance from the hull can't be told. Choose a composition without."
            )
        return np.array([shares.get(term, 0.0) for term in self.terms])


def terms_of(composition: Mapping[str, float]) -> dict[str, float]:
    """Return the share of the atoms that count for each term, in a composition of counts by element."""
    total = sum(composition.values())
    shares = {element: count / total for element, count in composition.items()}
    if U_ANIONS & composition.keys():
        shares |= {with_u(metal): shares[metal] for metal in U_METALS & composition.keys()}
    return shares


def with_u(metal: str) -> str:
    """Return the name of the term of a metal that is computed with a Hubbard U."""
    return f"{metal}+U"


@lru_cache(maxsize=1)
def shipped_formation_model() -> FormationModel:
    """Return the shipped model, read once a process. Raises `ModelError` where it is missing or damaged."""
    return read_formation_model(hull_folder())


def write_formation_model(folder: Path, model: FormationModel, about: Mapping[str, Any]) -> None:
    """Write `formation.safetensors` and its card, which says also what is told `about` the fit."""
    card = {
        "energy_scale": model.energy_scale, "spread_ev": model.spread_ev, "terms": list(model.terms),
        "n_rows": dict(model.n_rows), **about,
    }  # fmt: skip
    write_weights(folder, "formation", {"mu_ev": model.mu_ev, "inverse": model.inverse}, card)


def read_formation_model(folder: Path) -> FormationModel:
    """Return the model of a folder after the check of its hash; raise `ModelError` where it is missing or damaged."""
    required = ("sha256", "energy_scale", "spread_ev", "terms", "n_rows")
    card = read_card(folder, "formation", required=required, remedy=_REMEDY)
    arrays = read_weights(folder, "formation", card["sha256"], required=("mu_ev", "inverse"), remedy=_REMEDY)
    return FormationModel(
        energy_scale=card["energy_scale"], terms=tuple(card["terms"]), mu_ev=arrays["mu_ev"],
        inverse=arrays["inverse"], spread_ev=card["spread_ev"], n_rows=card["n_rows"],
    )  # fmt: skip
