"""What can go wrong, as a user reads it: every message names the value, the limit and the remedy."""

from collections.abc import Sequence
from pathlib import Path


class ExplorerError(Exception):
    """Base of all errors that a user may meet; `str()` of it is safe to show."""


class SettingsError(ExplorerError):
    """An environment variable of the explorer that says nothing usable."""


class StructureError(ExplorerError):
    """A crystal structure that cannot be used, with the reason."""


class UnknownIonError(ExplorerError):
    """A working ion outside the ones that the labels cover."""

    def __init__(self, working_ion: str, known: Sequence[str]) -> None:
        super().__init__(f"{working_ion!r} is not a known working ion; choose one of {', '.join(known)}.")


class NoWorkingIonError(StructureError):
    """A structure without the working ion has no intercalation voltage."""

    def __init__(self, formula: str, working_ion: str) -> None:
        super().__init__(
            f"{formula} holds no {working_ion}: an intercalation voltage needs the discharged structure with "
            f"its {working_ion} inside. Upload the discharged phase or choose another working ion."
        )


class RecordError(ExplorerError):
    """A record whose fields do not fit together or lie out of range."""


class SourceError(ExplorerError):
    """A data source that is absent, unreachable or not in the documented format."""


class ModelError(ExplorerError):
    """Model weights that are absent, damaged or made for something else."""


class TrainingError(ExplorerError):
    """A training run that cannot start or go on as asked."""


class DeviceError(ExplorerError):
    """A compute device that was asked for and is not there."""


class PotentialError(ExplorerError):
    """An interatomic potential that is unknown, not installed, or asked for what it cannot give."""


class RelaxationError(ExplorerError):
    """A crystal that falls apart while it is relaxed, or two that are not states of one host."""


class BarrierError(ExplorerError):
    """A hop of an ion that cannot be worked out, with the reason; `verdict` is one word for it."""

    def __init__(self, message: str, *, verdict: str = "not possible") -> None:
        super().__init__(message)
        self.verdict = verdict


class DftError(ExplorerError):
    """A first-principles calculation that cannot be set up, does not settle, or cannot be read, with what to try."""


class OrderingError(ExplorerError):
    """A host whose ions cannot be ordered as asked: cell too large, content that is none, symmetry that is unclear."""


class UnsupportedElementError(PotentialError, StructureError):
    """A structure with elements that the potential was not trained on."""

    def __init__(self, potential: str, elements: Sequence[str], n_known: int) -> None:
        super().__init__(
            f"Potential {potential!r} was not trained on {', '.join(elements)} (it knows {n_known} elements): its "
            "forces would mean nothing. Choose a structure without them, or another potential."
        )


class StoreError(ExplorerError):
    """The database release is absent, damaged or of an unknown schema."""


class ReleaseNotFoundError(StoreError):
    """No release where one was expected."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No database release in {folder}: its manifest.json is missing. Restore the folder from git "
            "(`git checkout -- precomputed`) or run `python -m core build --data DATA`."
        )


class ReleaseDamagedError(StoreError):
    """A release whose manifest or database file is not what was written."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"The database release {path.name} is damaged: {problem}. Restore {path.parent} from git "
            "(`git checkout -- precomputed`) or go back to the one before (`python -m core restore-release VERSION`)."
        )


class SchemaVersionError(StoreError):
    """A release of a schema that this code does not read."""

    def __init__(self, path: Path, found: object, known: int) -> None:
        self.found = found
        is_older = isinstance(found, int) and 1 <= found < known
        remedy = (
            "bring it up to date with `python -m core migrate-release`, which keeps every row"
            if is_older
            else "update the explorer (`git pull`) or go back with `python -m core restore-release VERSION`"
        )
        super().__init__(
            f"{path.name} has database schema {found}, this version reads schema {known}: {remedy}."
        )


class StoreWriteError(StoreError):
    """A release that could not be written: read-only folder, full disk, or another writer at work."""


class InvalidRowError(StoreError):
    """A row that the schema refuses: without provenance, not finite, or out of its unit's range."""


class UnknownCandidateError(StoreError):
    """An id that the release does not hold."""

    def __init__(self, id: str) -> None:
        super().__init__(f"No candidate {id[:80]!r} in this release; open one from the Screen page's table.")


class UnknownCalculationError(StoreError):
    """A calculation that the release does not hold."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No calculation {name[:120]!r} in this release; the Dynamics page lists those there."
        )


class TransportError(ExplorerError):
    """A trajectory or a result from which no diffusivity can be had, with the reason."""


class NonFiniteFrameError(TransportError):
    """A trajectory with NaN or infinity in a position or a cell."""

    def __init__(self, n_bad: int, n_frames: int, first: int) -> None:
        super().__init__(
            f"{n_bad} of {n_frames} frames hold NaN or infinity, the first is frame {first}: the simulation broke "
            "there. Use the frames before it, or run again with a shorter time step."
        )


class FrameSequenceError(TransportError):
    """Frames that are missing, doubled or out of order."""

    def __init__(self, kind: str, step: int, next_step: int, stride: int) -> None:
        super().__init__(
            f"Frames are {kind} between steps {step} and {next_step} (usual spacing {stride} steps): lag times would "
            "be wrong. Give evenly spaced frames, each once, with a resumed run's overlap cut off."
        )


class UnwrapError(TransportError):
    """Frames so far apart that an atom's periodic image cannot be told."""


class TooFewTemperaturesError(TransportError):
    """Too few temperatures for a barrier."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(
            f"{found} different temperatures; a barrier with an honest error needs {needed} or more. Run further ones, "
            "for example 800, 1000, 1200 and 1500 K."
        )


class CalculationError(ExplorerError):
    """A calculation that cannot be asked for, read or pooled as it is."""


class JobError(ExplorerError):
    """A run that cannot be started, found or gone on with as asked."""


class NotAllowedError(JobError):
    """What the owner's settings do not allow to this visitor, or not so large."""


class UnknownJobError(JobError):
    """A run that is not in the runs' folder."""

    def __init__(self, job_id: str, folder: Path) -> None:
        super().__init__(
            f"There is no run {job_id[:120]!r} in {folder}; `python -m core runs list` names those there."
        )


class RunFileError(JobError):
    """A file of a run that is damaged or not of the documented form."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path.name} of run {path.parent.name} is unusable: {problem}. Nothing was changed. {self._remedy(path)}"
        )

    @staticmethod
    def _remedy(path: Path) -> str:
        if path.name == "result.json":
            return (
                f"`python -m core runs resume {path.parent.name}` makes it anew from what the run has kept."
            )
        if path.name == "spec.json":
            return "Ask for the same run again: its folder is found by name and goes on from what it holds."
        return f"Move it away, then `python -m core runs resume {path.parent.name}` goes on."


class DynamicsError(ExplorerError):
    """A simulation that cannot be set up or go on as asked, with the reason."""


class CellTooSmallError(DynamicsError, StructureError):
    """A simulation cell in which atoms would meet their own images, or with too few mobile ions."""


class CheckpointError(DynamicsError):
    """A checkpoint or trajectory that is damaged, belongs to another run, or could not be written."""


class HullError(ExplorerError):
    """A phase diagram that cannot be made or asked: phases missing or damaged, or a composition outside of them."""
