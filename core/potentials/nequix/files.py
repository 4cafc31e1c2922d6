"""A `.nqx` file: a line of JSON, then arrays in numpy's format in the order in which its network holds them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

Array = NDArray[np.float64]

_SUPPORTED: Final = {"index_weights": False, "layer_norm": True}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerWeights:
    """What one layer holds: radial net, (n_in, n_out) each; linear maps and norm factors by degree, lowest first."""

    radial: tuple[Array, ...]
    linear_1: tuple[Array, ...]
    linear_2: tuple[Array, ...]
    skip: tuple[Array, ...]
    norm: tuple[Array, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NequixWeights:
    """A file's configuration and arrays; `atom_energies_ev` in the order of `config["atomic_numbers"]`."""

    config: dict[str, Any]
    atom_energies_ev: Array
    layers: tuple[LayerWeights, ...]
    readout: Array


def read_nqx(path: Path) -> NequixWeights:
    """Read a file. Raises `ModelError` where it is absent, damaged, or of another network than Nequix-1."""
    try:
        with path.open("rb") as stream:
            config = json.loads(stream.readline())
            differs = {name for name, value in _SUPPORTED.items() if config.get(name) != value}
            if differs:
                raise ModelError(
                    f"{path.name} has another {', '.join(sorted(differs))} than Nequix-1; it cannot be run."
                )
            take = _Taker(stream)
            energies = take(1)[0]
            n_degrees = int(config["lmax"]) + 1
            layers = tuple(
                _layer(
                    take, config, first=index == 0, last=index == config["n_layers"] - 1, n_degrees=n_degrees
                )
                for index in range(config["n_layers"])
            )
            return NequixWeights(config=config, atom_energies_ev=energies, layers=layers, readout=take(1)[0])
    except FileNotFoundError:
        raise ModelError(f"{path} is not there.") from None
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(f"{path.name} is no Nequix file, or a damaged one ({error}).") from None


class _Taker:
    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __call__(self, count: int) -> tuple[Array, ...]:
        return tuple(np.load(self.stream, allow_pickle=False).astype(np.float64) for _ in range(count))


def _layer(take: _Taker, config: dict[str, Any], *, first: bool, last: bool, n_degrees: int) -> LayerWeights:
    """The first layer has scalars in, the last has scalars out."""
    into, out = 1 if first else n_degrees, 1 if last else n_degrees
    return LayerWeights(
        radial=take(int(config["radial_mlp_layers"]) + 1), linear_1=take(into), linear_2=take(out),
        skip=take(min(into, out)), norm=take(out),
    )  # fmt: skip
