"""Paths, devices and threads, from the environment (prefix MGC_) with defaults that suit a fresh clone."""

import os
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeviceError, SettingsError

ROOT = Path(__file__).resolve().parent.parent
"""The clone; of an installed package, the folder that holds it."""

INSTALLED_RELEASE = Path(__file__).resolve().parent / "precomputed"
"""Where a wheel puts the shipped release; in a clone it lies beside `core`."""


def _path(name: str, default: Path) -> Path:
    return Path(os.environ.get(name, default)).expanduser()


def _count(name: str, *, default: int) -> int:
    """A whole number above zero from the environment; unset, empty or 0 is the default."""
    text = os.environ.get(name, "").strip() or "0"
    if not text.isdecimal():
        raise SettingsError(f"{name} is {text!r}; give a whole number, 1 or more, or leave it out.")
    return int(text) or default


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are and what they run on.

    `threads`: of work that has the machine to itself. `job_threads`: of one run, 1 by default, as compiled potentials
    want it. `cpu_slots`: how many runs may share the CPU. `kinds`: modules that add kinds of calculations.
    """

    precomputed: Path
    data: Path
    runs: Path
    checkpoints: Path
    threads: int
    job_threads: int
    cpu_slots: int
    kinds: tuple[str, ...]

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read MGC_PRECOMPUTED, MGC_DATA, MGC_RUNS, MGC_CHECKPOINTS, MGC_THREADS, MGC_CPU_SLOTS and MGC_KINDS.

        A clone keeps runs and checkpoints in itself, an installed package in `~/.mgcathodes`, never in its own folder.
        Raises `SettingsError` for a number that is none.
        """
        threads = _count("MGC_THREADS", default=0)
        is_installed = INSTALLED_RELEASE.is_dir()
        home = Path.home() / ".mgcathodes" if is_installed else ROOT
        return cls(
            precomputed=_path("MGC_PRECOMPUTED", INSTALLED_RELEASE if is_installed else ROOT / "precomputed"),
            data=_path("MGC_DATA", ROOT.parent / "shared" / "data"),
            runs=_path("MGC_RUNS", home / "runs"),
            checkpoints=_path("MGC_CHECKPOINTS", home / "checkpoints"),
            threads=threads or os.cpu_count() or 1,
            job_threads=threads or 1,
            cpu_slots=_count("MGC_CPU_SLOTS", default=1),
            kinds=tuple(it.strip() for it in os.environ.get("MGC_KINDS", "").split(",") if it.strip()),
        )


def resolve_device(name: str = "auto") -> str:
    """Return the torch device for `auto`, `cpu` or `cuda:N`; one asked for and absent is a `DeviceError`."""
    import torch

    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return name
    gpus = available_devices()[2:]
    if name in gpus:
        return name
    raise DeviceError(f"Device {name!r} is not there ({len(gpus)} CUDA devices found); use 'auto' or 'cpu'.")


def available_devices() -> list[str]:
    """Return what `resolve_device` takes on this machine: `auto`, `cpu`, and `cuda:N` for each GPU that torch sees."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["auto", "cpu", *(f"cuda:{index}" for index in range(count))]
