"""Who may start, steer and publish calculations here, and how large they may be: the owner's settings.

    policy = Policy.from_environment()
    policy.check_start(visitor, spec)       # raises NotAllowedError, which names the setting

A visitor is known by three things, none of which a browser can choose for itself: whether it sits at this machine, a
name that a proxy with a login vouches for, and a random cookie of its own. The command line is not asked: whoever has a
shell here is the owner.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from core.artifacts import write_json
from core.calculations import Spec
from core.calculations.kinds.diffusion import DiffusionSpec
from core.errors import NotAllowedError, RunFileError, SettingsError
from core.service.candidates import ids
from core.settings import Settings
from core.store import Reader
from core.tasks import ACTIVE, Job, RunFolder, list_jobs, submit
from core.tasks.queue import look

COOKIE: Final = "mgc_browser"
"""Random, set by the server (`app.server`); tells browsers apart, and nothing else."""

FORWARDED: Final = ("x-forwarded-for", "forwarded", "x-real-ip")
"""With one of these the request came through a proxy, whose own address says nothing of the visitor."""

_OWNER_FILE: Final = "owner.json"
_GB: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks. `name`: as the proxy's login gives it; `browser`: 16 hex digits of the hash of its cookie."""

    is_local: bool = False
    name: str | None = None
    browser: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], address: str | None, cookies: Mapping[str, str]) -> "Visitor":
        """Return who a request comes from; `address` None is a request of this very machine.

        A name is read from the header that MGC_USER_HEADER names alone: a proxy must set it, and overwrite what a
        browser sends.
        """
        given = {name.lower(): value for name, value in headers.items()}
        header = os.environ.get("MGC_USER_HEADER", "").strip().lower()
        cookie = cookies.get(COOKIE)
        return cls(
            is_local=not any(name in given for name in FORWARDED) and _is_loopback(address),
            name=(given.get(header) or None) if header else None,
            browser=sha256(cookie.encode()).hexdigest()[:16] if cookie else None,
        )


def _is_loopback(address: str | None) -> bool:
    try:
        return address is None or ip_address(address).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`may_start`, `owners`: `local` (this machine's own browser), `all`, `none`, or names of the proxy's login.

    Limits of one run, and of all runs together: `max_runs` that wait or work, `max_disk_gb` of their folders.
    """

    may_start: tuple[str, ...] = ("local",)
    owners: tuple[str, ...] = ("local",)
    max_runs: int = 20
    max_atoms: int = 2_000
    max_ps: float = 1_000.0
    max_disk_gb: float = 50.0

    @classmethod
    def from_environment(cls) -> "Policy":
        """Read MGC_MAY_START, MGC_OWNERS, MGC_MAX_RUNS, MGC_MAX_ATOMS, MGC_MAX_PS and MGC_MAX_DISK_GB.

        Raises `SettingsError` for a number that is none.
        """
        default = cls()
        return cls(
            may_start=_names("MGC_MAY_START", default.may_start),
            owners=_names("MGC_OWNERS", default.owners),
            max_runs=int(_number("MGC_MAX_RUNS", default.max_runs)),
            max_atoms=int(_number("MGC_MAX_ATOMS", default.max_atoms)),
            max_ps=_number("MGC_MAX_PS", default.max_ps),
            max_disk_gb=_number("MGC_MAX_DISK_GB", default.max_disk_gb),
        )

    def is_owner(self, visitor: Visitor) -> bool:
        """Return whether a visitor may merge runs into the release, and steer those of others."""
        return _among(visitor, self.owners)

    def is_starter(self, visitor: Visitor) -> bool:
        """Return whether a visitor may start calculations."""
        return self.is_owner(visitor) or _among(visitor, self.may_start)

    def check_start(self, visitor: Visitor, spec: Spec) -> None:
        """Raise `NotAllowedError` for who may not start, and for what is larger than the owner allows."""
        if not self.is_starter(visitor):
            raise NotAllowedError(
                "Calculations cannot be started from here: the owner of this server allows it to "
                f"{_words(self.may_start)} (MGC_MAY_START). Everything else works; `make app` on your own machine has "
                "no such limit."
            )
        atoms, ps = _size(spec)
        _within(atoms, self.max_atoms, "atoms", "MGC_MAX_ATOMS")
        _within(ps, self.max_ps, "picoseconds", "MGC_MAX_PS")
        active = sum(job.state in ACTIVE for job in list_jobs())
        if active >= self.max_runs:
            raise NotAllowedError(
                f"{active} runs wait or work, and the owner of this server allows {self.max_runs} at a time "
                "(MGC_MAX_RUNS). Cancel one, or come back when one has ended."
            )
        used = _used_bytes() / _GB
        _within(used, self.max_disk_gb, "GB of kept runs", "MGC_MAX_DISK_GB")

    def check_steer(self, visitor: Visitor, job: Job) -> None:
        """Raise `NotAllowedError` unless a run is the visitor's own, or the visitor is an owner."""
        if not self._may_steer(visitor, job):
            raise NotAllowedError(
                f"{job.job_id} was started by someone else; only they and the owner of this server may."
            )

    def check_again(self, visitor: Visitor, folder: RunFolder) -> None:
        """Raise `NotAllowedError` for a run that somebody stopped on purpose, unless the visitor may steer it.

        That it failed or was interrupted nobody wanted: whoever may start it goes on with it.
        """
        with suppress(
            RunFileError
        ):  # one that cannot be read was not cancelled; it is made good by asking again
            if (job := look(folder)).state == "cancelled" and not self._may_steer(visitor, job):
                raise NotAllowedError(
                    f"{job.job_id} was cancelled, and was started by someone else; only they and the owner of this "
                    "server may go on with it. Ask them, or ask for another seed."
                )

    def _may_steer(self, visitor: Visitor, job: Job) -> bool:
        return self.is_owner(visitor) or is_own(visitor, job.folder)

    def check_merge(self, visitor: Visitor) -> None:
        """Raise `NotAllowedError` unless the visitor is an owner: a merge publishes a release for all."""
        if not self.is_owner(visitor):
            raise NotAllowedError(
                f"A merge publishes a release for everybody, which is for {_words(self.owners)} (MGC_OWNERS)."
            )

    def sees(self, visitor: Visitor, job: Job, known_ids: frozenset[str]) -> bool:
        """Return whether a visitor may look at a run: one of a candidate, its own, or any, as an owner."""
        return job.spec.subject.id in known_ids or self.is_owner(visitor) or is_own(visitor, job.folder)


def visible(jobs: Iterable[Job], visitor: Visitor, reader: Reader) -> list[Job]:
    """Return the runs that a visitor may see, in their order."""
    policy = Policy.from_environment()
    if policy.is_owner(visitor):
        return list(jobs)
    known = ids(reader)
    return [job for job in jobs if policy.sees(visitor, job, known)]


def start(spec: Spec, visitor: Visitor, policy: Policy | None = None) -> Job:
    """Start a run for a visitor, who owns it from then on; raise `NotAllowedError`, or as `core.tasks.submit` does.

    One that failed or was interrupted goes on, whoever started it; one that was cancelled for who may steer it alone.
    """
    policy = policy or Policy.from_environment()
    policy.check_start(visitor, spec)
    folder = RunFolder.of(spec)
    is_new = not folder.path.exists()
    if not is_new:
        policy.check_again(visitor, folder)
    job = submit(spec)
    if is_new:
        write_json(job.path / _OWNER_FILE, {"browser": visitor.browser, "name": visitor.name})
    return job


def is_own(visitor: Visitor, folder: RunFolder) -> bool:
    """Return whether a run was started by this visitor; one without a note of that is nobody's."""
    try:
        owner = json.loads((folder.path / _OWNER_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(owner, dict):
        return False
    return any(
        mine is not None and owner.get(field) == mine
        for field, mine in (("browser", visitor.browser), ("name", visitor.name))
    )


def _size(spec: Spec) -> tuple[int, float]:
    crystal: Any = getattr(spec, "crystal", None)
    if isinstance(spec, DiffusionSpec):
        protocol = spec.protocol
        return max(protocol.max_atoms, crystal.n_sites), protocol.npt_ps + protocol.nvt_ps
    return (0 if crystal is None else crystal.n_sites), 0.0


def _within(value: float, limit: float, what: str, setting: str) -> None:
    if value > limit:
        raise NotAllowedError(
            f"{value:g} {what}; the owner of this server allows {limit:g} ({setting}). "
            "The command line has no such limit."
        )


def _used_bytes() -> int:
    """What the runs take; only those that changed since the last question are gone through again."""
    folder = Settings.from_environment().runs
    runs = folder.iterdir() if folder.is_dir() else ()
    return sum(_bytes_of(path, _changed(path)) for path in runs)


def _changed(path: Path) -> tuple[int, ...]:
    """When a run last moved: it writes its status, or a report every few seconds."""
    looked_at = (path, path / "status.json", path / "progress.jsonl")
    return tuple(it.stat().st_mtime_ns for it in looked_at if it.exists())


@lru_cache(maxsize=10_000)
def _bytes_of(path: Path, changed: tuple[int, ...]) -> int:
    if path.is_file():
        return path.stat().st_size
    with suppress(FileNotFoundError):  # a worker replaces its files while they are counted
        return sum(it.stat().st_size for it in path.rglob("*") if it.is_file())
    return 0


def _among(visitor: Visitor, allowed: tuple[str, ...]) -> bool:
    if "all" in allowed:
        return True
    if "none" in allowed:
        return False
    return visitor.is_local or (visitor.name is not None and visitor.name in allowed)


def _words(allowed: tuple[str, ...]) -> str:
    named = ", ".join(name for name in allowed if name not in ("local", "none", "all"))
    if "none" in allowed:
        return "nobody"
    return f"browsers on its own machine{f' and to {named}' * bool(named)}"


def _names(setting: str, default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(it.strip() for it in os.environ.get(setting, "").split(",") if it.strip()) or default


def _number(setting: str, default: float) -> float:
    text = os.environ.get(setting, "").strip()
    try:
        value = float(text) if text else float(default)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise SettingsError(f"{setting} is {text!r}; give a number, 0 or more, or leave it out.")
    return value
