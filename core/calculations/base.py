"""What every calculation has in common: a `Spec` that is asked, a `Result` that comes out, a `Context` to work in.

A new kind of calculation is one module with a subclass of each and `SPEC` naming the first, which
`core.calculations.registry` finds. Folder, queue, worker, resume, store, lists and export then serve it as they do
every other.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from core.artifacts import write_json
from core.codec import Record, from_json, to_json
from core.errors import CalculationError
from core.provenance import Provenance
from core.records import Crystal, Skipped
from core.settings import resolve_device

if TYPE_CHECKING:
    from core.potentials import Potential

FORMAT: Final = 1
"""Of the JSON form of specs and results; raised when their common frame changes, not with a kind's fields."""

HASH_DIGITS: Final = 10
MAX_ID_IN_NAME: Final = 40
NOT_IDENTITY: Final[Mapping[str, bool]] = {"identity": False}
"""Metadata of a field that decides nothing, such as a description: it does not enter the key."""

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")

Figure = float | int | str | None


def now() -> str:
    """Return the time as results hold it: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Stopped(Exception):
    """Somebody asked the calculation to stop; raised inside `Spec.run`, answered by the worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a calculation is about, as lists show it; `id` is a candidate's, or that of an uploaded structure."""

    id: str
    formula: str
    working_ion: str


class Context(ABC):
    """What a calculation is given to work with: a folder, a device, ears for a stop, a voice for progress."""

    folder: Path
    """Its own; whatever is written here is there again after a kill, for `Spec.run` to go on from."""

    device: str
    """`cpu` or `cuda:N`, there and reserved."""

    @abstractmethod
    def should_stop(self) -> bool:
        """Return whether a stop was asked for. Save what is worth saving, then raise `Stopped`."""

    @abstractmethod
    def say(self, note: str) -> None:
        """Tell what is being done now; raise `Stopped` where a stop was asked for."""

    @abstractmethod
    def report(self, row: Mapping[str, Any]) -> None:
        """Keep a line of progress: `step` (whole, growing), `fraction` (0 to 1), `eta_s` or None, and figures."""

    def works_with(self, potential: "Potential") -> None:  # noqa: B027 (who does not keep provenance need not listen)
        """Tell which potential is at work: whether it was compiled for the machine decides the bits."""

    def keep(self, name: str, record: object) -> None:
        """Keep a record as `NAME.json` of the folder, for a later sitting."""
        write_json(self.folder / f"{name}.json", to_json(record))

    def kept(self, name: str, kind: type[Record]) -> Record | None:
        """Return the record that `keep` left of an earlier sitting, or None; raise `RecordError` for a damaged one."""
        path = self.folder / f"{name}.json"
        return from_json(kind, json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    @abstractmethod
    def seconds_before(self) -> float:
        """Return the seconds of work that earlier sittings have put in."""

    @abstractmethod
    def needed(self, spec: "Spec") -> "tuple[Result, Path]":
        """Return result and folder of a calculation that `Spec.needs` named: it is finished by now.

        The folder is this calculation's own where a release holds the other.
        """


class Spec(ABC):
    """What is asked: a frozen dataclass that holds everything that decides the result. Equal keys are one calculation.

    Reading a spec never judges it: one of an old version, or for a potential that is gone, can still be shown. `check`
    judges, before a start.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[str]
    result_type: ClassVar[type["Result"]]
    kept_files: ClassVar[tuple[str, ...]] = ()
    """Names of small files of the folder that a release keeps beside the result."""

    is_more_than_its_result: ClassVar[bool] = False
    """Whether those that need it read files of its folder too: one that a release holds cannot stand for it then."""

    device: str
    """`auto`, `cpu` or `cuda:N`; its kind enters the key, since it decides the bits."""

    @property
    @abstractmethod
    def subject(self) -> Subject:
        """The crystal that it is about."""

    @abstractmethod
    def run(self, context: Context) -> "Result":
        """Do the calculation, from what the folder holds of an earlier sitting; raise `Stopped` when asked to stop.

        What goes wrong is an `ExplorerError`, whose words a user reads.
        """

    @property
    def label(self) -> str:
        """A few words for the folder's name that tell it from others of its subject."""
        return self.kind

    def settings(self) -> dict[str, Figure]:
        """Return what lists show of the question, by the names of `core.quantities`."""
        return {}

    def needs(self) -> "Sequence[Spec]":
        """Return the calculations that must be finished before this one; the worker does them first."""
        return ()

    def made_of(self) -> Sequence[str]:
        """Return the names of the calculations that a derived one follows from."""
        return ()

    def check(self) -> None:
        """Raise the `ExplorerError` that says why this could never run here, where it could not."""
        resolve_device(self.device)

    @classmethod
    def upgraded(cls, given: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Return the fields of an older version in today's form; the default takes them as they are."""
        return given

    @classmethod
    def derived(cls, finished: "Sequence[Calculation]") -> "tuple[list[Calculation], list[Skipped]]":
        """Return calculations of this kind that follow from finished ones without further work, and those left out."""
        return [], []

    def key_without(self, *names: str) -> str:
        """Return the hash of kind, version and all fields that differ from their defaults, but for some."""
        content = {"kind": self.kind, "version": self.version, "fields": identity(self, *names)}
        return digest(content)

    @property
    def key(self) -> str:
        """64 hex digits: the identity of what is asked."""
        return digest([self.key_without("device"), device_kind(self.device)])

    @property
    def name(self) -> str:
        """Readable prefix and the first digits of the key: the name of the folder."""
        return f"{self.prefix}-{self.key[:HASH_DIGITS]}"

    def may_be_called(self, name: str) -> bool:
        """Return whether a name is this calculation's, on this machine or, for device `auto`, on another one."""
        devices = ("cpu", "cuda") if self.device == "auto" else (device_kind(self.device),)
        keys = (digest([self.key_without("device"), device]) for device in devices)
        return name in {f"{self.prefix}-{key[:HASH_DIGITS]}" for key in keys}

    @property
    def prefix(self) -> str:
        """The readable part of the name."""
        return _NOT_IN_NAMES.sub("_", f"{safe_name(self.subject.id)}-{self.label}")

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as JSON holds it: every field, so that it reads the same when defaults have changed."""
        return {"format": FORMAT, "kind": self.kind, "version": self.version, **to_json(self)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read a spec of this kind; raise `RecordError` for another form, `CalculationError` for a newer version."""
        return from_json(cls, _fields_of(cls, given))


@dataclass(frozen=True, kw_only=True, eq=False)
class CrystalSpec(Spec):
    """A spec about one crystal, which most kinds are. `seed` decides all that is random."""

    crystal: Crystal
    working_ion: str = "Mg"
    device: str = "auto"
    seed: int = 0

    @property
    def subject(self) -> Subject:
        """The crystal by id and formula."""
        return Subject(id=self.crystal.id, formula=self.crystal.formula, working_ion=self.working_ion)


@dataclass(frozen=True, kw_only=True, eq=False)
class DerivedSpec(Spec):
    """A spec whose result follows from finished calculations (`made_of`, `derived`), without work of its own.

    `comes_about` says when that happens, to whoever would run it.
    """

    comes_about: ClassVar[str]

    id: str
    formula: str
    working_ion: str
    device: str = "cpu"

    @property
    def subject(self) -> Subject:
        """The crystal of the calculations that it follows from."""
        return Subject(id=self.id, formula=self.formula, working_ion=self.working_ion)

    def run(self, context: Context) -> "Result":
        """Refuse: `derived` does it when runs are merged."""
        raise CalculationError(self.comes_about)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What came out: a verdict in a word or two, the reason in a sentence, and the figures of the kind."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    verdict: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What a reader must know."""

    provenance: Provenance
    created: str = field(default_factory=now)

    def figures(self) -> dict[str, Figure]:
        """Return what lists and tables show of the answer, by the names of `core.quantities`."""
        return {}

    @classmethod
    def upgraded(cls, given: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Return the fields of an older version in today's form; the default takes them as they are."""
        return given

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON holds it."""
        return {"format": FORMAT, "kind": self.kind, "version": self.version, **to_json(self)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read a result of this kind; raise `RecordError` for another form, `CalculationError` for a newer version."""
        return from_json(cls, _fields_of(cls, given))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calculation:
    """A finished calculation, wherever it is kept: what was asked, what came out, and a way to its files.

    `read_file` returns a file's bytes, None where it was not kept. `folder` is None for one that a release holds.
    """

    name: str
    spec: Spec
    result: Result
    read_file: Callable[[str], bytes | None]
    folder: Path | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the release."""
        return self.folder is None


def identity(record: Any, *leave_out: str) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from their defaults, in the form that hashes are taken of.

    A field that a later version adds with a default leaves the identity of all that came before as it was.
    """
    kept = (it for it in fields(record) if it.name not in leave_out and it.metadata.get("identity", True))
    return {it.name: _plain(value) for it in kept if not _is_default(it, value := getattr(record, it.name))}


def digest(content: object) -> str:
    """Return the SHA-256 of a JSON value as hex."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def device_kind(device: str) -> str:
    """Return `cpu` or `cuda`, for `auto` that of this machine; one that is absent has its kind all the same."""
    return (resolve_device() if device == "auto" else device).split(":")[0]


def safe_name(text: str) -> str:
    """Return a text, such as an id that a user gave, as a part of a folder's name."""
    return _NOT_IN_NAMES.sub("_", text)[:MAX_ID_IN_NAME].strip("._-") or "crystal"


def _fields_of(cls: type[Spec] | type[Result], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the frame off a JSON object and bring its fields to today's version."""
    frame, version = given.get("format", 0), given.get("version", 0)
    if not (isinstance(frame, int) and isinstance(version, int)) or frame > FORMAT or version > cls.version:
        raise CalculationError(
            f"A calculation of kind {cls.kind!r} in format {frame}, version {version}; this explorer reads format "
            f"{FORMAT}, version {cls.version} and those before. Update the explorer (`git pull`)."
        )
    bare = {name: value for name, value in given.items() if name not in ("format", "kind", "version")}
    return bare if version == cls.version else cls.upgraded(bare, version)


def _is_default(it: "Field[Any]", value: object) -> bool:
    if it.default is not MISSING:
        return bool(_plain(it.default) == _plain(value))
    return it.default_factory is not MISSING and bool(_plain(it.default_factory()) == _plain(value))


def _plain(value: Any) -> Any:
    """As hashes see it: 1200 and 1200.0 are one number; of a crystal, who made it known decides nothing."""
    if isinstance(value, Crystal):
        return digest(
            {name: value.to_dict()[name] for name in ("id", "formula", "lattice", "species", "frac")}
        )
    if is_dataclass(value) and not isinstance(value, type):
        return identity(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
