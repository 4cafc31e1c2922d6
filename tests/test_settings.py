"""Settings come from the environment; a device that is asked for and absent is an error."""

from pathlib import Path

import pytest

from core.errors import DeviceError
from core.settings import ROOT, Settings, resolve_device


def test_defaults_suit_a_fresh_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRECOMPUTED", "DATA", "RUNS", "CHECKPOINTS", "THREADS"):
        monkeypatch.delenv(f"MGC_{name}", raising=False)
    settings = Settings.from_environment()
    assert settings.precomputed == ROOT / "precomputed"
    assert settings.data == ROOT.parent / "shared" / "data"
    assert settings.threads >= 1


def test_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path))
    monkeypatch.setenv("MGC_THREADS", "3")
    settings = Settings.from_environment()
    assert settings.precomputed == tmp_path and settings.threads == 3


def test_auto_takes_the_gpu_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("auto") == "cuda:0"


@pytest.mark.parametrize("name", ["cuda:0", "cuda", "tpu"])
def test_an_absent_device_is_an_error_never_a_silent_cpu_run(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="0 CUDA devices"):
        resolve_device(name)
