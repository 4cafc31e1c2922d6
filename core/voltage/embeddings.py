"""What a voltage model has learned of chemistry, as points in the plane, read from `precomputed/inside`.

Two files of maps, each an npz with a card beside it, are made by `core.voltage.embedding_maps`:

- `random-640`: a crystal graph network whose element vectors are random bits, so that all chemistry in it comes from
  the structures and voltages (Chen et al. 2024, Fig. 5);
- `shipped`: the default model.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError, RecordError
from core.settings import Settings

RANDOM, SHIPPED = "random-640", "shipped"
ELEMENT_CLASSES: Final = (
    "alkali metal", "alkaline earth", "transition metal", "post-transition metal", "lanthanide", "actinide",
    "metalloid", "non-metal", "halogen",
)  # fmt: skip
_REMEDY: Final = "restore it from git or run `python -m core inside-model --data ../shared/data`"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomMap:
    """n atoms, or n elements, in the plane.

    `xy`: (n, 2). `symbols`, `classes`: (n,) element and its class. `is_working_ion`: (n,) whether the atom is a working
    ion (of an element: one of the ten). `formulas`, `battery_ids`: (n,) the electrode, empty for elements. `agreement`:
    of a point's nearest neighbours of other elements in the full space, the share of its own class; `chance`: that
    share among all points of other elements; `ion_agreement`, `ion_chance`: of a working ion's, the share of working
    ions. `explained`: share of the variance on each axis, principal components only.
    """

    xy: NDArray[np.float32]
    symbols: NDArray[np.str_]
    classes: NDArray[np.str_]
    is_working_ion: NDArray[np.bool_]
    formulas: NDArray[np.str_]
    battery_ids: NDArray[np.str_]
    agreement: float
    chance: float
    ion_agreement: float
    ion_chance: float
    explained: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        columns = (self.symbols, self.classes, self.is_working_ion, self.formulas, self.battery_ids)
        _check(self.xy, *columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectrodeMap:
    """n labelled electrodes in the plane: `pca_xy`, `tsne_xy` (n, 2); working ion, label in V, formula and id, (n,)."""

    pca_xy: NDArray[np.float32]
    tsne_xy: NDArray[np.float32]
    working_ions: NDArray[np.str_]
    voltages_v: NDArray[np.float32]
    formulas: NDArray[np.str_]
    battery_ids: NDArray[np.str_]
    explained: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check(self.pca_xy, self.tsne_xy, self.working_ions, self.voltages_v, self.formulas, self.battery_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideMaps:
    """The maps of one network, by name, and the card that says how they were made."""

    card: dict[str, Any]
    atoms: dict[str, AtomMap]
    electrodes: dict[str, ElectrodeMap]


def read_maps(name: str, folder: Path | None = None) -> InsideMaps:
    """Return the maps of `RANDOM` or `SHIPPED`; absent or damaged files are a `ModelError`."""
    folder = Settings.from_environment().precomputed / "inside" if folder is None else folder
    path = folder / f"{name}.npz"
    try:
        card = json.loads((folder / f"{name}.json").read_text())
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        atoms = {key: AtomMap(**_arrays(arrays, key), **row) for key, row in card["atoms"].items()}
        electrodes = {
            key: ElectrodeMap(**_arrays(arrays, key), **row) for key, row in card["electrodes"].items()
        }
    except FileNotFoundError as error:
        raise ModelError(f"{Path(str(error.filename)).name} is missing in {folder}; {_REMEDY}.") from None
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, RecordError) as error:
        raise ModelError(f"{path.name} or its card is damaged ({error}); {_REMEDY}.") from None
    return InsideMaps(card=card, atoms=atoms, electrodes=electrodes)


def _arrays(arrays: dict[str, NDArray[Any]], name: str) -> dict[str, Any]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}


def _check(*columns: NDArray[Any]) -> None:
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or 0 in lengths:
        raise RecordError(
            f"The columns of a map have {sorted(lengths)} rows; all need the same number, at least one."
        )
