"""Who computed this: code, data and model hashes, seed, device and versions, behind every result row."""

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import core

_CHUNK_BYTES = 1 << 20
PACKAGES = ("torch", "torch-geometric", "pymatgen", "ase", "nequip", "duckdb", "numpy", "vesin")


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_files(paths: Iterable[Path]) -> str:
    """Return one SHA-256 over names and contents of several files, in name order."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda item: item.name):
        digest.update(f"{path.name}:{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed version of each named package, leaving out absent ones."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of work under one set of conditions, by name, from a step on; they decide the last bits of a result.

    None are named where nobody wrote them down.
    """

    first_step: int
    conditions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The record that every result row points to by `id`, a hash of all other fields but the time and the legs.

    `seed` is the one that decided the result; where several did, such as those of an ensemble, `seeds` lists them.
    `legs`: under which conditions a run was made; they travel with its result.
    """

    kind: str
    model_name: str | None = None
    model_sha256: str | None = None
    data_sha256: str | None = None
    seed: int | None = None
    device: str = "cpu"
    code_version: str = core.__version__
    versions: dict[str, str] = field(default_factory=package_versions)
    machine: str = field(default_factory=platform.machine)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seeds: tuple[int, ...] = ()
    legs: tuple[Leg, ...] = ()

    @property
    def id(self) -> str:
        """Twelve hex digits that name this provenance."""
        fields = {name: value for name, value in asdict(self).items() if name not in ("created", "legs")}
        if (
            not self.seeds
        ):  # a field younger than many records: where it says nothing, their ids stay as they were
            del fields["seeds"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]
