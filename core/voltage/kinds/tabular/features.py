"""Descriptors of discharged crystals, one block of columns each, computed once and kept as npz.

Blocks and their sources:

- `ion`: working ion as one of ten, its charge number and its share of the atoms.
- `magpie`: the Magpie preset of matminer's `ElementProperty`, 22 element properties by 6 statistics
  (doi:10.1038/npjcompumats.2016.28, doi:10.1016/j.commatsci.2018.05.018).
- `crystal`: matminer's density features, global symmetry, structural complexity, and mean, spread, least and
  greatest over sites of eight AGNI radial fingerprints (doi:10.1103/PhysRevB.92.094306). Left out for their
  cost, measured here as CPU time a structure: structural heterogeneity 0.8 s and CrystalNN fingerprints 0.6 s
  (both need Voronoi cells), Jarvis CFID 1.4 s. The chosen ones take 0.06 s.
- `soap`: SOAP by dscribe (doi:10.1103/PhysRevB.87.184115), the power spectrum averaged over the working ions.
  The plain spectrum pairs every two of 71 elements: half a million columns. Here one of the two elements is
  kept and the other summed over (mode mu1nu1, doi:10.1038/s41524-022-00847-y): each element's density against
  that of all. Summing over both elements with their properties as weights (mode mu2) did worse in a trial on
  one fold of each partition.

Inputs are lattice, species, coordinates and working ion alone, as for the networks.
"""

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts import replacing
from core.errors import ModelError
from core.ions import CHARGE_NUMBER, WORKING_IONS
from core.provenance import package_versions
from core.records import Crystal

Floats = NDArray[np.float32]
VERSION: Final = 1
"""To be raised when a block's definition changes: cached blocks of another version are not read."""

SOAP: Final[dict[str, Any]] = {
    "r_cut": 5.0, "n_max": 6, "l_max": 4, "sigma": 0.5, "periodic": True,
    "average": "outer", "compression": {"mode": "mu1nu1"}, "dtype": "float32",
}  # fmt: skip
"""Lengths in angstrom; `outer` averages the spectra, not the densities, of the working ions."""

SITE_STATISTICS: Final = ("mean", "std_dev", "minimum", "maximum")
_KEY_PACKAGES: Final = ("matminer", "dscribe", "pymatgen", "spglib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`values`: (n, d) float32, NaN where a property is not tabulated; the CPU seconds that they took."""

    name: str
    values: Floats
    seconds: float


def ion_block(crystals: Sequence[Crystal], working_ions: Sequence[str]) -> Floats:
    """(n, 12): working ion as one of ten, charge number, atom fraction of the working ion."""
    one_hot = np.array([[ion == other for other in WORKING_IONS] for ion in working_ions])
    charge = [CHARGE_NUMBER[ion] for ion in working_ions]
    share = [
        crystal.count(ion) / crystal.n_sites for crystal, ion in zip(crystals, working_ions, strict=True)
    ]
    return np.column_stack([one_hot, charge, share]).astype(np.float32)


def magpie_block(crystals: Sequence[Crystal], _working_ions: Sequence[str]) -> Floats:
    """(n, 132): Magpie statistics of the discharged composition."""
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    featurizer = ElementProperty.from_preset("magpie", impute_nan=False)
    rows = [featurizer.featurize(Composition(_counts(crystal))) for crystal in _bar("magpie", crystals)]
    return np.array(rows, dtype=np.float32)


def crystal_block(crystals: Sequence[Crystal], _working_ions: Sequence[str]) -> Floats:
    """(n, 41): density, symmetry, complexity and statistics over sites of AGNI fingerprints."""
    from matminer.featurizers.site import AGNIFingerprints
    from matminer.featurizers.structure import (
        DensityFeatures,
        GlobalSymmetryFeatures,
        SiteStatsFingerprint,
        StructuralComplexity,
    )

    symmetry = ["spacegroup_num", "crystal_system_int", "is_centrosymmetric", "n_symmetry_ops"]
    featurizers = (
        DensityFeatures(),
        GlobalSymmetryFeatures(desired_features=symmetry),
        StructuralComplexity(),
        SiteStatsFingerprint(AGNIFingerprints(directions=[None]), stats=SITE_STATISTICS),
    )
    rows = []
    for crystal in _bar("crystal", crystals):
        structure = crystal.to_pymatgen()
        rows.append([value for item in featurizers for value in item.featurize(structure)])
    return np.array(rows, dtype=np.float32)


def soap_block(crystals: Sequence[Crystal], working_ions: Sequence[str]) -> Floats:
    """(n, elements x 180): each element's density around the working ions against the density of all."""
    from dscribe.descriptors import SOAP as Soap

    species = sorted({symbol for crystal in crystals for symbol in crystal.species})
    descriptor = Soap(species=species, **SOAP)
    rows = []
    for crystal, ion in zip(_bar("soap", crystals), working_ions, strict=True):
        centres = [site for site, symbol in enumerate(crystal.species) if symbol == ion]
        atoms = crystal.to_ase()
        rows.append(descriptor.create(atoms, centers=centres))
    return np.array(rows, dtype=np.float32)


BLOCKS: Final[dict[str, Callable[[Sequence[Crystal], Sequence[str]], Floats]]] = {
    "ion": ion_block,
    "magpie": magpie_block,
    "crystal": crystal_block,
    "soap": soap_block,
}


def load_block(
    name: str, crystals: Sequence[Crystal], working_ions: Sequence[str], *, data_sha256: str, folder: Path
) -> Block:
    """Return a block from its cache in `folder`, or compute and cache it under the hash of what it depends on."""
    key = cache_key(name, data_sha256, len(crystals))
    path = folder / f"descriptors-{name}-{key}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return Block(name=name, values=stored["values"], seconds=float(stored["seconds"]))
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = BLOCKS[name](crystals, working_ions)
        except ModuleNotFoundError as error:
            raise ModelError(
                f"The descriptors {name!r} need {error.name}, which the explorer's environment does not hold: "
                "python3 -m venv .venv-bench && .venv-bench/bin/pip install -r requirements-bench.txt, and use that "
                "environment."
            ) from None
    seconds = time.process_time() - start
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        np.savez_compressed(partial, values=values, seconds=seconds)
    return Block(name=name, values=values, seconds=seconds)


def cache_key(name: str, data_sha256: str, n_rows: int) -> str:
    """Return twelve hex digits over the data, the block, its settings and the packages that make it."""
    soap = SOAP if name == "soap" else {}
    settings = [VERSION, name, data_sha256, n_rows, soap, package_versions(_KEY_PACKAGES)]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def _counts(crystal: Crystal) -> dict[str, int]:
    return {element: crystal.count(element) for element in dict.fromkeys(crystal.species)}


def _bar(name: str, crystals: Sequence[Crystal]) -> Iterable[Crystal]:
    bar: Iterable[Crystal] = tqdm(crystals, desc=name, unit="crystal", mininterval=5.0)
    return bar
