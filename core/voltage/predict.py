"""Prediction with a shipped model, whatever its kind: one row a structure, a reason where there is no
number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ExplorerError, ModelError, NoWorkingIonError
from core.graphs import atomic_numbers
from core.ions import charge_number
from core.records import Crystal, VoltagePrediction
from core.settings import Settings
from core.voltage.calibrate import HALF_WIDTH_IN_STD, Calibration, Domain
from core.voltage.weights import Arrays, read_arrays, read_card

CHUNK: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a network says of n structures.

    `voltages_v`: (n, n_members) float64. `vectors`: (n, d) float32 learned vectors. `trusted`: (n,) False
    where the network itself knows that it cannot judge (a working ion without neighbours).
    """

    voltages_v: NDArray[np.float64]
    vectors: NDArray[np.float32]
    trusted: NDArray[np.bool_]


class Network(Protocol):
    """What a kind of model must offer; a structure that it cannot take is an `ExplorerError`."""

    def outputs(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> Outputs:
        """Return the outputs for structures that hold their working ions."""


Loader = Callable[[Arrays, dict[str, Any]], Network]


class VoltageModel:
    """A network with its calibration, its domain and its card."""

    def __init__(
        self, network: Network, calibration: Calibration, domain: Domain, card: dict[str, Any]
    ) -> None:
        self.network = network
        self.calibration = calibration
        self.domain = domain
        self.card = card

    @property
    def name(self) -> str:
        """Name of the model, that of its files."""
        return str(self.card["name"])

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights."""
        return str(self.card["sha256"])

    def predict(
        self,
        crystals: Sequence[Crystal],
        working_ions: Sequence[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[VoltagePrediction]:
        """Return one prediction a crystal, in order; one that cannot be predicted carries the reason as
        `error`.

        `progress(done)` is called after every chunk of structures.
        """
        rows: list[VoltagePrediction] = []
        for start in range(0, len(crystals), CHUNK):
            rows += self._chunk(crystals[start : start + CHUNK], working_ions[start : start + CHUNK])
            if progress is not None:
                progress(len(rows))
        return rows

    def embed(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, d) learned vectors; a structure that has none raises its `ExplorerError`."""
        parts = []
        for start in range(0, len(crystals), CHUNK):
            chunk, ions = crystals[start : start + CHUNK], working_ions[start : start + CHUNK]
            for crystal, ion in zip(chunk, ions, strict=True):
                check_input(crystal, ion)
            parts.append(self.network.outputs(chunk, ions).vectors)
        return (
            np.concatenate(parts) if parts else np.zeros((0, self.domain.vectors.shape[1]), dtype=np.float32)
        )

    def _chunk(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> list[VoltagePrediction]:
        try:
            for crystal, ion in zip(crystals, working_ions, strict=True):
                check_input(crystal, ion)
            return self._rows(crystals, working_ions)
        except ExplorerError as error:
            if len(crystals) == 1:
                return [_failed(crystals[0], working_ions[0], error)]
        # One bad structure must not take its chunk along: each is tried alone.
        return [
            row
            for crystal, ion in zip(crystals, working_ions, strict=True)
            for row in self._chunk([crystal], [ion])
        ]

    def _rows(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> list[VoltagePrediction]:
        outputs = self.network.outputs(crystals, working_ions)
        voltages = outputs.voltages_v.mean(axis=1)
        stds = self.calibration.std_v(outputs.voltages_v.std(axis=1), self.domain.distance(outputs.vectors))
        return [
            self._row(crystal, ion, float(voltage), float(std), bool(trusted))
            for crystal, ion, voltage, std, trusted in zip(
                crystals, working_ions, voltages, stds, outputs.trusted, strict=True
            )
        ]

    def _row(
        self, crystal: Crystal, ion: str, voltage_v: float, std_v: float, trusted: bool
    ) -> VoltagePrediction:
        if not np.isfinite([voltage_v, std_v]).all():
            return _failed(
                crystal, ion, ModelError(f"{crystal.formula}: the network gave {voltage_v}; not a voltage.")
            )
        known = not self.domain.unknown_elements(atomic_numbers(crystal.species).tolist())
        return VoltagePrediction(
            id=crystal.id,
            formula=crystal.formula,
            working_ion=ion,
            voltage_v=voltage_v,
            voltage_std_v=std_v,
            voltage_low_v=voltage_v - HALF_WIDTH_IN_STD * std_v,
            voltage_high_v=voltage_v + HALF_WIDTH_IN_STD * std_v,
            in_domain=bool(trusted and known and std_v <= self.domain.limit_std_v),
        )


def check_input(crystal: Crystal, working_ion: str) -> None:
    """Raise `UnknownIonError` or `NoWorkingIonError` when there is no voltage to predict."""
    charge_number(working_ion)
    if working_ion not in crystal.species:
        raise NoWorkingIonError(crystal.formula, working_ion)


def load_voltage_model(name: str = "default", folder: Path | None = None) -> VoltageModel:
    """Load a model by name from `precomputed/models` or another folder.

    Checks card, file type, hash and keys, and raises `ModelError` with the reason; the card's `kind` picks
    the loader.
    """
    folder = Settings.from_environment().precomputed / "models" if folder is None else folder
    card = read_card(folder, name)
    loaders = _loaders()
    if card["kind"] not in loaders:
        raise ModelError(
            f"Model {card['name']!r} is of kind {card['kind']!r}; this version reads {sorted(loaders)}."
        )
    arrays = read_arrays(folder, card, required=("domain.vectors", "domain.element_rows"))
    try:
        calibration = Calibration(**card["calibration"])
        domain = Domain(arrays["domain.vectors"], arrays["domain.element_rows"], float(card["limit_std_v"]))
        network = loaders[card["kind"]](arrays, card)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"Model {card['name']!r} is incomplete ({error}); restore it from git or train anew."
        ) from None
    return VoltageModel(network, calibration, domain, card)


def _loaders() -> dict[str, Loader]:
    from core.voltage.cgcnn import CgcnnEnsemble
    from core.voltage.frozen.model import KIND, FrozenHostEnsemble

    return {"cgcnn": CgcnnEnsemble.from_arrays, KIND: FrozenHostEnsemble.from_arrays}


def _failed(crystal: Crystal, ion: str, error: Exception) -> VoltagePrediction:
    return VoltagePrediction.failed(id=crystal.id, formula=crystal.formula, working_ion=ion, error=str(error))
