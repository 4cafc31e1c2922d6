"""What every kind of voltage model offers: fitted on labelled rows it gives outputs, shipped it gives a network.

A new kind is one module in `core/voltage/kinds/` with a subclass of `VoltageKind` and one of `Prepared`, and one line
in `core/voltage/kinds/__init__.py`. Cross-validation, error tables, cards and prediction serve all kinds alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.records import Crystal
from core.voltage.as_given import Strain
from core.voltage.dataset import LabelledData

if TYPE_CHECKING:
    from core.voltage.card import VoltageCard

Arrays = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

Done = Callable[[int], None]
"""Called with the number of structures done."""

Report = Callable[[str, int, int], None]
"""Called as (stage, done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a network says of n structures.

    `voltages_v`: (n, n_members) float64. `vectors`: (n, d) float32 learned vectors. `trusted`: (n,) False
    where the network itself knows that it cannot judge (a working ion without neighbours). `errors`: for each structure
    None, or the reason why it has no outputs, which are NaN then; empty where all have some. `doubt_v`: (n,) how far
    the kind's own sources disagree, V, beyond what its members say; None where it has no such thing. `strains`: how
    far each structure is from rest as it was given, None where that is not known; empty where the kind does not look.
    """

    voltages_v: Floats
    vectors: NDArray[np.float32]
    trusted: NDArray[np.bool_]
    errors: tuple[str | None, ...] = ()
    doubt_v: Floats | None = None
    strains: tuple[Strain | None, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.voltages_v)
        lengths = {n, len(self.vectors), len(self.trusted), len(self.errors) or n, len(self.strains) or n}
        if len(lengths) != 1:
            raise ModelError(f"Outputs of lengths {sorted(lengths)}; one row a structure is needed.")

    def error(self, row: int) -> str | None:
        """Return why a structure has no outputs, None where it has."""
        return self.errors[row] if self.errors else None

    def strain(self, row: int) -> Strain | None:
        """Return how far a structure is from rest as it was given, None where that is not known."""
        return self.strains[row] if self.strains else None

    @classmethod
    def with_gaps(cls, made: "Outputs", errors: Sequence[str | None]) -> "Outputs":
        """Return outputs for all structures from those of the ones without an error, in order."""
        kept = np.array([error is None for error in errors], dtype=np.bool_)
        if kept.all():
            return made
        voltages_v = np.full((len(errors), made.voltages_v.shape[1]), np.nan)
        vectors = np.full((len(errors), made.vectors.shape[1]), np.nan, dtype=np.float32)
        trusted = np.zeros(len(errors), dtype=np.bool_)
        voltages_v[kept], vectors[kept], trusted[kept] = made.voltages_v, made.vectors, made.trusted
        doubt_v = None
        if made.doubt_v is not None:
            doubt_v = np.full(len(errors), np.nan)
            doubt_v[kept] = made.doubt_v
        strains = iter(made.strains)
        return cls(
            voltages_v=voltages_v, vectors=vectors, trusted=trusted, errors=tuple(errors), doubt_v=doubt_v,
            strains=tuple(next(strains) if is_kept else None for is_kept in kept) if made.strains else (),
        )  # fmt: skip


class Network(Protocol):
    """A model that is ready to predict."""

    def outputs(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> Outputs:
        """Return the outputs for structures that hold their working ions; what it cannot take has its error."""


class Fitted(Protocol):
    """A model that was fitted on some rows of labelled data."""

    def outputs_of_rows(self, rows: Indices) -> Outputs:
        """Return the outputs of rows of the data that it was prepared for."""

    def to_arrays(self) -> Arrays:
        """Return the weights that `VoltageKind.load` needs."""


class Prepared(ABC):
    """A kind together with a data set: what is computed once and shared by all fits (features, graphs)."""

    data: LabelledData
    seeds: tuple[int, ...]
    """One a member of the ensemble."""

    settings: dict[str, Any]
    """How it is fitted, as the card keeps it."""

    kind: str
    """Name of the kind."""

    inputs: str
    """Hash of what was computed from the structures. Where it changes, finished folds are fitted anew."""

    n_test_folds: int | None = None
    """How many of the ten folds are tested, None for all: a costly kind may be judged on one."""

    stops_early: bool = False
    """Whether a fit watches validation rows, which are then kept out of training: those of the next fold."""

    has_domain: bool = True
    """Whether its vectors tell how far a structure is from the labelled ones; baselines have no intervals."""

    @abstractmethod
    def fit(
        self, train: Indices, *, stage: str, validation: Indices | None = None, voltages_v: Floats | None = None,
        n_members: int | None = None,
    ) -> Fitted:  # fmt: skip
        """Fit on rows of the data, or on other labels `voltages_v` (n,) for them. `stage` names a checkpoint."""


class VoltageKind(ABC):
    """One kind of voltage model; see `core.voltage.kinds`."""

    name: ClassVar[str]
    description: ClassVar[str]
    licence: ClassVar[str] = "Trained on Materials Project data, CC BY 4.0"
    default_members: ClassVar[int] = 1
    explains_atoms: ClassVar[bool] = False
    """Whether a prediction can be split into one share an atom (`core.service.explain`)."""

    packages: ClassVar[tuple[str, ...]] = ("torch", "numpy")
    """Whose versions the card states."""

    @abstractmethod
    def prepare(
        self, data: LabelledData, *, seeds: tuple[int, ...], checkpoints: Path, epochs: int | None = None,
        resume: bool = False, progress: Report | None = None,
    ) -> Prepared:  # fmt: skip
        """Return the kind ready to be fitted on rows of a data set."""

    def load(self, arrays: Arrays, card: "VoltageCard") -> Network:
        """Return the network of a shipped model; a kind that ships none raises `ModelError`."""
        raise ModelError(f"Models of kind {self.name!r} do not ship; cross-validate it instead.")
