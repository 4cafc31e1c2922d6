"""One factor on the stated standard deviation for each group of electrodes, so that 90 % means 90 % in each of them.

A group is a working ion together with whether the framework, the formula without that ion, stands among the labelled
electrodes. The factor of a group is the 90 % quantile of |error| / (1.645 std) over its out-of-fold rows (Mondrian
conformal prediction, doi:10.1561/2200000101), drawn towards that of all ions where rows are few:

    ln factor = (n ln q_group + N_0 ln q_all) / (n + N_0)

Rows of one framework miss on the same side, and many variants of one hide how often a framework is missed. So the
quantile is taken over rows and over frameworks, each with one vote, and the larger of the two counts: electrodes of a
new framework are what is asked about.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition

from core.records import Crystal

Floats = NDArray[np.float64]
Factors = Mapping[str, float]
"""By group; `KNOWN` and `NEW` are those of all ions together, for ions with too few rows."""

KNOWN: Final = "known framework"
NEW: Final = "new framework"
_N_0: Final = 10
_MIN_ROWS: Final = 10


def framework(crystal: Crystal, working_ion: str) -> str:
    """Return the reduced formula of a crystal without its working ion."""
    return _reduced(tuple(sorted(Counter(it for it in crystal.species if it != working_ion).items())))


@lru_cache(maxsize=100_000)
def _reduced(counts: tuple[tuple[str, int], ...]) -> str:
    return str(Composition(dict(counts)).reduced_formula)


def group(working_ion: str, is_known: bool) -> str:
    """Return the name of a group."""
    return f"{working_ion}, {KNOWN if is_known else NEW}"


def factors_of(factors: Factors, working_ions: Sequence[str], is_known: Sequence[bool]) -> Floats:
    """Return (n,) factors; those of all ions for an ion without its own, 1 where nothing was fitted."""
    return np.array(
        [
            factors.get(group(ion, known), factors.get(KNOWN if known else NEW, 1.0))
            for ion, known in zip(working_ions, is_known, strict=True)
        ]
    )


def fit_factors(
    scores: Floats, working_ions: Sequence[str], is_known: NDArray[np.bool_], frameworks: Sequence[str],
    *, level: float = 0.90,
) -> dict[str, float]:  # fmt: skip
    """Return the factors of (n,) out-of-fold |error| / half width; empty where no framework is told from another.

    The factors are those by which half widths grow. Groups of fewer than 10 rows have none of their own.
    """
    ions, names = np.asarray(working_ions), np.asarray(frameworks)
    found: dict[str, float] = {}
    for known in (True, False):
        of_kind = np.flatnonzero(is_known == known)
        if len(of_kind) < _MIN_ROWS:
            continue
        of_all = _quantile(scores[of_kind], names[of_kind], level)
        found[KNOWN if known else NEW] = round(of_all, 4)
        for ion in np.unique(ions[of_kind]):
            rows = of_kind[ions[of_kind] == ion]
            if len(rows) >= _MIN_ROWS:
                own = _quantile(scores[rows], names[rows], level)
                logs = (len(rows) * np.log(own) + _N_0 * np.log(of_all)) / (len(rows) + _N_0)
                found[group(str(ion), known)] = round(float(np.exp(logs)), 4)
    return found


def _quantile(scores: Floats, frameworks: NDArray[np.str_], level: float) -> float:
    """The larger of the quantiles over rows and over frameworks."""
    _, place, counts = np.unique(frameworks, return_inverse=True, return_counts=True)
    of_rows, of_frameworks = (
        _weighted_quantile(scores, weights, level) for weights in (np.ones(len(scores)), 1.0 / counts[place])
    )
    return max(of_rows, of_frameworks, 1e-6)


def _weighted_quantile(scores: Floats, weights: Floats, level: float) -> float:
    """The smallest score that holds its level of the weight, one further row of mean weight counted as beyond it."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order]) / (weights.sum() * (1.0 + 1.0 / len(scores)))
    return float(scores[order][min(int(np.searchsorted(reached, level)), len(scores) - 1)])
