"""From learned vectors to points in the plane, and how far neighbours agree in their chemistry.

t-SNE (van der Maaten and Hinton, JMLR 9, 2579, 2008) keeps neighbourhoods and nothing else: distances between far
groups, and the sizes of groups, mean nothing. `agreement` is measured in the full space.
"""

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[Any]

N_NEIGHBOURS: Final = 10
_PERPLEXITY: Final = 30.0


def element_class(symbol: str) -> str:
    """Return which of `ELEMENT_CLASSES` an element belongs to."""
    from pymatgen.core import Element

    element = Element(symbol)
    tests = {
        "halogen": element.is_halogen,
        "metalloid": element.is_metalloid,
        "alkali metal": element.is_alkali,
        "alkaline earth": element.is_alkaline,
        "lanthanide": element.is_lanthanoid,
        "actinide": element.is_actinoid,
        "transition metal": element.is_transition_metal,
        "post-transition metal": element.is_post_transition_metal,
    }
    return next((name for name, holds in tests.items() if holds), "non-metal")


def agreement(
    vectors: Vectors,
    symbols: NDArray[np.str_],
    kinds: NDArray[Any],
    *,
    of: NDArray[np.bool_] | None = None,
    n_neighbours: int = N_NEIGHBOURS,
) -> tuple[float, float]:
    """Return how often nearest neighbours of another element are of a point's kind, and how often any others are.

    For each of n points with (n, d) vectors (or for those in `of`): the share of its own kind among the `n_neighbours`
    nearest points of other elements, averaged; beside it the same share among all points of other elements, which is
    what vectors that know nothing of the kinds give.
    """
    wide = vectors.astype(np.float64)
    squares = (wide**2).sum(axis=1)
    chosen = np.arange(len(wide)) if of is None else np.flatnonzero(of)
    found, chance = np.empty(len(chosen)), np.empty(len(chosen))
    for place, point in enumerate(chosen):
        others = np.flatnonzero(symbols != symbols[point])
        distances = squares[others] - 2.0 * wide[others] @ wide[point]
        nearest = others[np.argsort(distances, kind="stable")[:n_neighbours]]
        found[place] = (kinds[nearest] == kinds[point]).mean()
        chance[place] = (kinds[others] == kinds[point]).mean()
    return float(found.mean()), float(chance.mean())


def principal_components(vectors: Vectors) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """Return (n, 2) coordinates of (n, d) vectors, and the share of the variance on each of the two axes."""
    from sklearn.decomposition import PCA

    fitted = PCA(n_components=2, svd_solver="full").fit(vectors)
    xy = fitted.transform(vectors).astype(np.float32)
    return xy, tuple(round(float(share), 4) for share in fitted.explained_variance_ratio_)


def tsne(vectors: Vectors, seed: int) -> NDArray[np.float32]:
    """Return (n, 2) coordinates of (n, d) vectors; the same seed gives the same map."""
    from sklearn.manifold import TSNE

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        projected = TSNE(
            init="pca", perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3), random_state=seed, n_jobs=1
        ).fit_transform(vectors.astype(np.float32))
    return np.asarray(np.round(projected, 2), dtype=np.float32)


def equal_share(counts: NDArray[np.int64], n_points: int) -> int:
    """Return the most points that each kind may have so that all stay within `n_points`: kind i has `counts[i]`."""
    quota = 1
    while quota < counts.max() and np.minimum(counts, quota + 1).sum() <= n_points:
        quota += 1
    return quota
