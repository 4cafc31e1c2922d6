"""Choosing a potential, its device and precision; and what a damaged file of weights meets."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import DeviceError, ModelError, PotentialError
from core.potentials import POTENTIALS, Potential, load_potential, potential_card
from core.potentials.files import read_card_file, read_weights, shipped_folder
from core.potentials.nequip_mp.potential import NAME, NequipMp, read_card
from core.provenance import sha256_of_file
from tests.potentials.conftest import loaded
from tests.potentials.structures import rattled, record


def test_names() -> None:
    assert POTENTIALS[0] == "nequip-mp" and {"chgnet", "sevennet-0"} < set(POTENTIALS)
    assert potential_card().name == "nequip-mp"
    with pytest.raises(PotentialError, match="'emt' is not a potential; choose one of nequip-mp"):
        load_potential("emt")
    with pytest.raises(PotentialError, match="not a precision"):
        load_potential("nequip-mp", device="cpu", dtype="float16")


def test_a_device_that_is_absent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in POTENTIALS:
        with pytest.raises((DeviceError, PotentialError), match=r"cuda:0|not installed|does not ship"):
            load_potential(name, device="cuda:0")
    assert load_potential("nequip-mp", device="auto", dtype="float32").device == "cpu"


def test_not_every_potential_describes(nequip_mp: Potential) -> None:
    crystal = record(rattled("MgO"))
    assert nequip_mp.describe(crystal).vectors.shape == (2, 128)
    with pytest.raises(PotentialError, match="offers no atom vectors"):
        load_potential("chgnet", device="cpu").describe(crystal)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped files, to be damaged."""
    for suffix in ("json", "safetensors"):
        shutil.copy(shipped_folder() / f"{NAME}.{suffix}", tmp_path)
    return tmp_path


def test_a_missing_or_garbled_card(copied: Path) -> None:
    with pytest.raises(ModelError, match=r"nequip-xx\.json of 'nequip-xx' is missing"):
        read_card_file(copied, "nequip-xx")
    (copied / f"{NAME}.json").write_text('{"name": "nequip-mp"}')
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(copied)


def test_missing_weights(copied: Path) -> None:
    card = read_card(copied)
    (copied / f"{NAME}.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights nequip-mp\.safetensors are missing"):
        NequipMp(card, device="cpu", folder=copied)


def test_a_flipped_bit_fails_the_checksum(copied: Path) -> None:
    path = copied / f"{NAME}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256"):
        NequipMp(read_card(copied), device="cpu", folder=copied)
    path.write_bytes(b"\x80\x04not tensors")
    with pytest.raises(ModelError, match="is a pickled file"):
        read_weights(copied, NAME, sha256_of_file(path))


class Planted:
    """What an attacker would put into a checkpoint: unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "run")


def test_a_checkpoint_of_others_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither CHGNet's nor SevenNet's, though the latter's package would."""
    from core.potentials import chgnet, sevennet

    loaded("sevennet-0")
    path, mark = tmp_path / "planted.pth", tmp_path / "mark"
    torch.save({"model": Planted(mark), "config": Planted(mark)}, path)
    for module, name in ((chgnet, "_checkpoint_path"), (sevennet, "checkpoint_path")):
        monkeypatch.setattr(module, name, lambda: path)
    for read in (chgnet.load_network, sevennet.read_card, sevennet.read_checkpoint):
        with pytest.raises(Exception, match="Weights only load failed"):
            read()
    assert not mark.exists()


def test_weights_of_another_shape(copied: Path) -> None:
    path = copied / f"{NAME}.json"
    card = json.loads(path.read_text())
    card["shape"]["n_bessels"] = 7
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="do not fit its network at"):
        NequipMp(read_card(copied), device="cpu", folder=copied)
