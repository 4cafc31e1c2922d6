"""The fit behind `core.stability.formation`, and its cross-validation by groups that share no composition and no host.

    minimise sum_i rho(E_pot,i / N_i - E_f,i - x_i . mu) + sum_f lambda_f (mu_f - mu0_f)^2

rho: Huber's, quadratic up to `HUBER_EV`, since some labels are of unfinished magnetic states. mu0 of a metal is its
energy under the same potential, which is what its reference would be if nothing else came in; it counts where compounds
are few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ExplorerError, HullError
from core.records import FloatArray
from core.stability.formation import FormationModel, terms_of
from core.stability.labels import Labelled, shift_of

if TYPE_CHECKING:
    from core.potentials import Potential

HUBER_EV: Final = 0.03
NOISE_EV: Final = 0.02
"""Typical residual, eV/atom: what the priors' widths are weighed against."""

METAL_WIDTH_EV: Final = 0.1
FREE_WIDTH_EV: Final = 5.0
"""Width of the prior of a term: around the metal's energy, and where nothing is known before."""

N_FOLDS: Final = 10
COVERED: Final = 0.90
_STDS_OF_COVERED: Final = 1.645
_HARDEST: Final = ("Mg charged ends",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitRows:
    """(n,) potential's energies and formation energies, eV/atom; compositions, groups and ends of the n structures."""

    ids: tuple[str, ...]
    compositions: tuple[Mapping[str, float], ...]
    energy_ev_per_atom: FloatArray
    formation_ev_per_atom: FloatArray
    groups: tuple[int, ...]
    ends: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Errors:
    """(n,) predicted minus stated, eV/atom, and the standard errors of it, by a fit that saw nothing alike."""

    residual_ev_per_atom: FloatArray
    std_ev_per_atom: FloatArray

    def of(self, mask: NDArray[np.bool_]) -> "Errors":
        """Return those of some rows."""
        return Errors(
            residual_ev_per_atom=self.residual_ev_per_atom[mask], std_ev_per_atom=self.std_ev_per_atom[mask]
        )

    def summary(self) -> dict[str, float | int]:
        """Return n, mean absolute error, root mean square, bias, quantiles (eV/atom) and the share within 90 %."""
        size = np.abs(self.residual_ev_per_atom)
        within = size <= _STDS_OF_COVERED * self.std_ev_per_atom
        return {
            "n": len(size), "mae_ev_per_atom": float(size.mean()),
            "rmse_ev_per_atom": float(np.sqrt((size**2).mean())),
            "bias_ev_per_atom": float(self.residual_ev_per_atom.mean()),
            "median_ev_per_atom": float(np.median(size)), "q90_ev_per_atom": float(np.quantile(size, 0.9)),
            "q99_ev_per_atom": float(np.quantile(size, 0.99)), "within_90": float(within.mean()),
        }  # fmt: skip


def fit_rows(
    labelled: Sequence[Labelled], energies_ev: Mapping[str, float], shifts_ev: Mapping[str, float]
) -> FitRows:
    """Return the rows of those structures that the potential has an energy of, on the table's scale."""
    kept = [it for it in labelled if it.crystal.id in energies_ev]
    if not kept:
        raise HullError("No structure with a stated formation energy has an energy of the potential.")
    return FitRows(
        ids=tuple(it.crystal.id for it in kept),
        compositions=tuple(it.composition for it in kept),
        energy_ev_per_atom=np.array([energies_ev[it.crystal.id] / it.crystal.n_sites for it in kept]),
        formation_ev_per_atom=np.array(
            [it.formation_energy_ev_per_atom - shift_of(it.composition, shifts_ev) for it in kept]
        ),
        groups=tuple(it.group for it in kept), ends=tuple(it.ends for it in kept),
    )  # fmt: skip


def metals_ev(potential: "Potential", elements: Sequence[str]) -> dict[str, float]:
    """Return the relaxed energy per atom (eV) of those elements that `ase.build.bulk` can make, by the potential."""
    from core.relaxation import metal_energy_ev

    found = {}
    for element in elements:
        try:
            found[element] = metal_energy_ev(potential, element)
        except (ValueError, KeyError, RuntimeError, ExplorerError):
            continue  # a molecule, or a structure that ASE holds no parameters of
    return found


def fit(rows: FitRows, metal_ev: Mapping[str, float], energy_scale: str) -> FormationModel:
    """Return the model fitted to all rows, its spread from cross-validation."""
    seen = {term for composition in rows.compositions for term in terms_of(composition)}
    terms = sorted(seen | metal_ev.keys())
    shares = _matrix(rows.compositions, terms)
    mu_ev, inverse = _solve(shares, rows.energy_ev_per_atom - rows.formation_ev_per_atom, terms, metal_ev)
    return FormationModel(
        energy_scale=energy_scale, terms=tuple(terms), mu_ev=mu_ev, inverse=inverse,
        spread_ev=_spread_ev(rows, cross_validate(rows, metal_ev, spread_ev=1.0)),
        n_rows={term: int((shares[:, column] > 0).sum()) for column, term in enumerate(terms)},
    )  # fmt: skip


def cross_validate(
    rows: FitRows, metal_ev: Mapping[str, float], *, spread_ev: float, n_folds: int = N_FOLDS
) -> Errors:
    """Return the errors of all rows, each predicted by a fit to groups other than its own."""
    from sklearn.model_selection import GroupKFold

    terms = sorted({term for composition in rows.compositions for term in terms_of(composition)})
    shares = _matrix(rows.compositions, terms)
    wanted = rows.energy_ev_per_atom - rows.formation_ev_per_atom
    residual, std = np.zeros(len(wanted)), np.zeros(len(wanted))
    for train, test in GroupKFold(n_splits=n_folds).split(shares, groups=rows.groups):
        mu_ev, inverse = _solve(shares[train], wanted[train], terms, metal_ev)
        residual[test] = wanted[test] - shares[test] @ mu_ev
        std[test] = np.sqrt(1.0 + np.einsum("ij,jk,ik->i", shares[test], inverse, shares[test]))
    return Errors(residual_ev_per_atom=residual, std_ev_per_atom=spread_ev * std)


def _spread_ev(rows: FitRows, unit: Errors) -> float:
    """So that `COVERED` of the residuals lie within as many standard errors as of a normal distribution.

    Of all rows, or of those named in `_HARDEST` where they ask for more: the ends that most questions are about.
    """
    scaled = np.abs(unit.residual_ev_per_atom) / unit.std_ev_per_atom
    masks = subsets(rows)
    asked = [np.quantile(scaled[masks[name]], COVERED) for name in ("all", *_HARDEST) if masks[name].any()]
    return float(max(asked)) / _STDS_OF_COVERED


def _matrix(compositions: Sequence[Mapping[str, float]], terms: Sequence[str]) -> FloatArray:
    column = {term: number for number, term in enumerate(terms)}
    shares = np.zeros((len(compositions), len(terms)))
    for row, composition in enumerate(compositions):
        for term, share in terms_of(composition).items():
            shares[row, column[term]] = share
    return shares


def _solve(
    shares: FloatArray, wanted: FloatArray, terms: Sequence[str], metal_ev: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """(m,) mu and (m, m) inverse of the normal matrix, by weighted least squares until Huber's weights stand."""
    centre = np.array([metal_ev.get(term, 0.0) for term in terms])
    widths = np.array([METAL_WIDTH_EV if term in metal_ev else FREE_WIDTH_EV for term in terms])
    prior = np.diag((NOISE_EV / widths) ** 2)
    weights = np.ones(len(wanted))
    mu_ev: FloatArray = centre
    normal: FloatArray = prior
    for _ in range(30):
        normal = shares.T @ (weights[:, None] * shares) + prior
        step = np.linalg.solve(normal, shares.T @ (weights * (wanted - shares @ centre)))
        mu_ev = centre + np.asarray(step, dtype=np.float64)
        weights = np.minimum(1.0, HUBER_EV / np.maximum(np.abs(wanted - shares @ mu_ev), 1e-12))
    return mu_ev, np.asarray(np.linalg.inv(normal), dtype=np.float64)


def fit_and_describe(
    labelled: Sequence[Labelled], energies_ev: Mapping[str, float], shifts_ev: Mapping[str, float],
    potential: "Potential",
) -> tuple[FormationModel, dict[str, Any]]:  # fmt: skip
    """Return the model of a potential's single points (eV by id), and what its card says of the fit and its errors."""
    rows = fit_rows(labelled, energies_ev, shifts_ev)
    metal_ev = metals_ev(potential, potential.card.elements)
    model = fit(rows, metal_ev, potential.card.energy_scale)
    errors = cross_validate(rows, metal_ev, spread_ev=model.spread_ev)
    return model, {
        "potential": potential.name, "potential_sha256": potential.card.sha256, "n_structures": len(rows.ids),
        "n_groups": len(set(rows.groups)), "structures": "as relaxed by density-functional theory, single points",
        "cross_validation": f"{N_FOLDS} folds by groups that share no composition and no host",
        "cross_validated": {
            name: errors.of(mask).summary() | _interval(errors.of(mask), np.array(rows.groups)[mask])
            for name, mask in subsets(rows).items() if mask.any()
        },
        "shifts_ev": dict(shifts_ev), "metals_ev": {name: round(value, 5) for name, value in metal_ev.items()},
    }  # fmt: skip


def _interval(errors: Errors, groups: NDArray[np.int64]) -> dict[str, float]:
    """90 % interval of the mean absolute error, eV/atom, by drawing whole groups anew."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, weights=np.abs(errors.residual_ev_per_atom))
    counts = np.bincount(group)
    drawn = np.random.default_rng(0).integers(len(counts), size=(2000, len(counts)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.05, 0.95])
    return {"mae_low_ev_per_atom": float(low), "mae_high_ev_per_atom": float(high)}


def subsets(rows: FitRows) -> dict[str, NDArray[np.bool_]]:
    """Return (n,) masks by name: all rows, those that are one end of charging alone, and the Mg ends."""
    kinds = [{end.split()[1] for end in ends} for ends in rows.ends]
    return {
        "all": np.ones(len(rows.ids), dtype=bool),
        "charged ends": np.array([kind == {"charged"} for kind in kinds]),
        "discharged ends": np.array([kind == {"discharged"} for kind in kinds]),
        "Mg charged ends": np.array(["Mg charged" in ends for ends in rows.ends]),
        "Mg discharged ends": np.array(["Mg discharged" in ends for ends in rows.ends]),
    }
