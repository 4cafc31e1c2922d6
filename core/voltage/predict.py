"""Prediction with a shipped model, whatever its kind: one row a structure, a reason where there is no number."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from core.errors import ExplorerError, ModelError, NoWorkingIonError, StructureError
from core.graphs import atomic_numbers
from core.ions import charge_number
from core.records import Crystal, VoltagePrediction
from core.settings import Settings
from core.voltage.as_given import objections
from core.voltage.base import Done, Network, Outputs
from core.voltage.calibrate import HALF_WIDTH_IN_STD, Calibration, Domain, Held
from core.voltage.card import VoltageCard
from core.voltage.groups import framework
from core.voltage.kinds import voltage_kind
from core.voltage.weights import read_arrays, read_card


class VoltageModel:
    """A network with its calibration, its domain and its card."""

    def __init__(self, network: Network, calibration: Calibration, domain: Domain, card: VoltageCard) -> None:
        self.network = network
        self.calibration = calibration
        self.domain = domain
        self.card = card

    @property
    def name(self) -> str:
        """Name of the model, that of its files."""
        return self.card.name

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights."""
        return self.card.sha256

    def predict(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> list[VoltagePrediction]:
        """Return one prediction a crystal, in order; one that cannot be predicted carries the reason as `error`.

        The network takes all structures at once and shares them out as suits it; `progress(done)` counts those done.
        """
        rows: list[VoltagePrediction | None] = [None] * len(crystals)
        sound = []
        for place, (crystal, ion) in enumerate(zip(crystals, working_ions, strict=True)):
            try:
                check_input(crystal, ion)
                sound.append(place)
            except ExplorerError as error:
                rows[place] = _failed(crystal, ion, str(error))
        n_refused = len(crystals) - len(sound)

        def report(n_predicted: int) -> None:
            if progress is not None:
                progress(n_refused + n_predicted)

        if crystals and not sound:
            report(0)
        if sound:
            predicted = self._rows([crystals[it] for it in sound], [working_ions[it] for it in sound], report)
            for place, row in zip(sound, predicted, strict=True):
                rows[place] = row
        return [row for row in rows if row is not None]

    def embed(self, crystals: Sequence[Crystal], working_ions: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, d) learned vectors; raise `StructureError` for a structure that has none."""
        for crystal, ion in zip(crystals, working_ions, strict=True):
            check_input(crystal, ion)
        if not len(crystals):
            return np.zeros((0, self.domain.vectors.shape[1]), dtype=np.float32)
        outputs = self.network.outputs(crystals, working_ions)
        reason = next((error for error in outputs.errors if error is not None), None)
        if reason is not None:
            raise StructureError(reason)
        return outputs.vectors

    def _rows(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], progress: Done | None
    ) -> list[VoltagePrediction]:
        outputs = self.network.outputs(crystals, working_ions, progress=progress)
        stds = np.full(len(crystals), np.nan)
        made = np.array([outputs.error(row) is None for row in range(len(crystals))])
        if made.any():
            stds[made] = self.calibration.std_v(self._held(crystals, working_ions, outputs, made))
        return [
            _failed(crystal, ion, reason)
            if (reason := outputs.error(row)) is not None
            else self._row(crystal, ion, outputs, row, float(stds[row]))
            for row, (crystal, ion) in enumerate(zip(crystals, working_ions, strict=True))
        ]

    def _held(
        self,
        crystals: Sequence[Crystal],
        working_ions: Sequence[str],
        outputs: Outputs,
        made: NDArray[np.bool_],
    ) -> Held:
        """What the calibration asks of the structures that have outputs."""
        places = np.flatnonzero(made).tolist()
        frameworks = [framework(crystals[it], working_ions[it]) for it in places]
        return Held(
            spread_v=outputs.voltages_v[made].std(axis=1), distance=self.domain.distance(outputs.vectors[made]),
            working_ions=[working_ions[it] for it in places], frameworks=frameworks,
            framework_known=np.isin(frameworks, self.calibration.known_frameworks),
            doubt_v=None if outputs.doubt_v is None else outputs.doubt_v[made],
        )  # fmt: skip

    def _row(
        self, crystal: Crystal, ion: str, outputs: Outputs, row: int, std_v: float
    ) -> VoltagePrediction:  # fmt: skip
        voltage_v, strain = float(outputs.voltages_v[row].mean()), outputs.strain(row)
        if not np.isfinite([voltage_v, std_v]).all():
            return _failed(crystal, ion, f"{crystal.formula}: the network gave {voltage_v}; not a voltage.")
        try:
            reasons = objections(crystal, strain) + self._unlike(crystal, bool(outputs.trusted[row]), std_v)
        except StructureError as error:
            return _failed(crystal, ion, str(error))
        return VoltagePrediction(
            id=crystal.id,
            formula=crystal.formula,
            working_ion=ion,
            voltage_v=voltage_v,
            voltage_std_v=std_v,
            voltage_low_v=voltage_v - HALF_WIDTH_IN_STD * std_v,
            voltage_high_v=voltage_v + HALF_WIDTH_IN_STD * std_v,
            in_domain=not reasons,
            domain_reason="; ".join(reasons) or None,
            start_force_ev_per_a=None if strain is None else strain.force_ev_per_a,
            start_pressure_gpa=None if strain is None else strain.pressure_gpa,
            model=self.name,
        )

    def _unlike(self, crystal: Crystal, trusted: bool, std_v: float) -> list[str]:
        """Why a structure does not resemble the labelled electrodes; none where it does."""
        found = [] if trusted else ["an ion without neighbours within 8 angstrom"]
        unknown = self.domain.unknown_elements(atomic_numbers(crystal.species).tolist())
        if unknown:
            names = " and ".join(chemical_symbols[number] for number in unknown)
            found.append(f"hardly any labelled electrode holds {names}")
        limit_v = self.domain.limit_std_v
        if std_v > limit_v:
            found.append(f"standard deviation {std_v:.2f} V ({limit_v:.2f} allowed)")
        return found


def check_input(crystal: Crystal, working_ion: str) -> None:
    """Raise `UnknownIonError` or `NoWorkingIonError` when there is no voltage to predict."""
    charge_number(working_ion)
    if working_ion not in crystal.species:
        raise NoWorkingIonError(crystal.formula, working_ion)


def load_voltage_model(name: str = "default", folder: Path | None = None) -> VoltageModel:
    """Load a model by name from `precomputed/models` or another folder.

    Checks card, file type, hash and keys, and raises `ModelError` with the reason.
    """
    folder = Settings.from_environment().precomputed / "models" if folder is None else folder
    card = read_card(folder, name)
    kind = voltage_kind(card.kind)
    arrays = read_arrays(folder, card, required=("domain.vectors", "domain.element_rows"))
    domain = Domain(arrays["domain.vectors"], arrays["domain.element_rows"], card.evaluation.limit_std_v)
    try:
        network = kind.load(arrays, card)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"Model {card.name!r} is incomplete ({error}); restore it from git or train anew."
        ) from None
    return VoltageModel(network, card.calibration, domain, card)


def _failed(crystal: Crystal, ion: str, reason: str) -> VoltagePrediction:
    return VoltagePrediction.failed(id=crystal.id, formula=crystal.formula, working_ion=ion, error=reason)
