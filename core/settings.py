"""Paths, devices and threads, from the environment (prefix MGC_) with defaults that suit a fresh clone."""

import os
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeviceError

ROOT = Path(__file__).resolve().parent.parent


def _path(name: str, default: Path) -> Path:
    return Path(os.environ.get(name, default)).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are and what they run on."""

    precomputed: Path
    data: Path
    runs: Path
    checkpoints: Path
    threads: int

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read MGC_PRECOMPUTED, MGC_DATA, MGC_RUNS, MGC_CHECKPOINTS and MGC_THREADS."""
        return cls(
            precomputed=_path("MGC_PRECOMPUTED", ROOT / "precomputed"),
            data=_path("MGC_DATA", ROOT.parent / "shared" / "data"),
            runs=_path("MGC_RUNS", ROOT / "runs"),
            checkpoints=_path("MGC_CHECKPOINTS", ROOT / "checkpoints"),
            threads=int(os.environ.get("MGC_THREADS", "0")) or (os.cpu_count() or 1),
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
