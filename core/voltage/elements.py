"""Element vectors: nine properties of an element, each binned and one-hot, 92 long as in CGCNN.

| property | bins | range |
| --- | --- | --- |
| group | 18 | 1 to 18 |
| period | 8 | 1 to 8 |
| electronegativity (Pauling) | 10 | 0.5 to 4.0 |
| covalent radius, pm | 10 | 25 to 250 |
| valence electrons | 12 | 1 to 12 |
| log10 of first ionisation energy, eV | 10 | 0.5 to 1.4 |
| electron affinity, eV | 10 | -3 to 3.7 |
| block | 4 | s, p, d, f |
| ln of atomic volume, cm3/mol | 10 | 1.5 to 4.3 |

The recipe is that of Xie and Grossman (2018), doi:10.1103/PhysRevLett.120.145301; the values come from
pymatgen and ASE. A value that is not known sets no bit. Trained models carry their own table, so later data
cannot change a prediction.
"""

import math
import warnings

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Element

N_ELEMENTS = 103
LENGTH = 92
_BLOCKS = "spdf"


def element_table() -> NDArray[np.float32]:
    """Return (N_ELEMENTS + 1, 92) element vectors by atomic number; row 0 is empty."""
    table = np.zeros((N_ELEMENTS + 1, LENGTH), dtype=np.float32)
    for number in range(1, N_ELEMENTS + 1):
        table[number] = _vector(Element.from_Z(number))
    return table


def random_element_table(seed: int, length: int = 640) -> NDArray[np.float32]:
    """Return random binary element vectors that know nothing of chemistry, for looking inside a model."""
    bits = np.random.default_rng(seed).integers(0, 2, size=(N_ELEMENTS + 1, length))
    return bits.astype(np.float32)


def valence_electrons(element: Element) -> int:
    """Return the number of electrons outside the closed core, between 1 and 12."""
    if element.block == "f":
        return int(min(element.Z - (54 if element.Z < 89 else 86), 12))
    if element.symbol == "He":
        return 2
    return int(element.group if element.group <= 12 else element.group - 10)


def _vector(element: Element) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of each value that it does not know
        electronegativity, affinity, volume = element.X, element.electron_affinity, element.molar_volume
        ionisation = element.ionization_energies[0] if element.ionization_energies else None
    parts = [
        _one_hot(element.group - 1, 18),
        _one_hot(element.row - 1, 8),
        _binned(electronegativity, 0.5, 4.0, 10),
        _binned(100.0 * covalent_radii[element.Z], 25.0, 250.0, 10),
        _one_hot(valence_electrons(element) - 1, 12),
        _binned(ionisation and math.log10(ionisation), 0.5, 1.4, 10),
        _binned(affinity, -3.0, 3.7, 10),
        _one_hot(_BLOCKS.index(element.block), 4),
        _binned(volume and math.log(volume), 1.5, 4.3, 10),
    ]
    return np.concatenate(parts)


def _one_hot(index: int, length: int) -> NDArray[np.float32]:
    vector = np.zeros(length, dtype=np.float32)
    vector[index] = 1.0
    return vector


def _binned(value: float | None, low: float, high: float, n_bins: int) -> NDArray[np.float32]:
    if value is None or not math.isfinite(value):
        return np.zeros(n_bins, dtype=np.float32)
    index = int((value - low) / (high - low) * n_bins)
    return _one_hot(min(max(index, 0), n_bins - 1), n_bins)
