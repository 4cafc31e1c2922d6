"""A host in two parts of a split, and model files that must not be trusted: pickles, damage, missing parts.

Graphs at their limits are in `tests/test_graphs.py`, odd crystals before the model in `tests/voltage/test_predict.py`,
duplicate hosts among the labels in `tests/voltage/test_dataset_and_folds.py`.
"""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError, TrainingError
from core.voltage import load_voltage_model
from core.voltage.calibrate import Calibration
from core.voltage.card import Evaluation, VoltageCard
from core.voltage.elements import element_table
from core.voltage.evaluation.folds import Split, check_hosts_apart
from core.voltage.kinds.cgcnn.ensemble import CgcnnEnsemble
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork
from core.voltage.weights import data_snapshot_note, read_arrays, read_card, write_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound model named `sound` in a folder of its own."""
    config = NetworkConfig(n_features=4, n_hidden=4)
    network = VoltageNetwork(torch.as_tensor(element_table()), config)
    ensemble = CgcnnEnsemble([TrainedNetwork(network=network, mean_v=3.0, scale_v=1.0, history=[])])
    arrays = ensemble.to_arrays() | {
        "domain.vectors": np.random.default_rng(0).random((8, 4), dtype=np.float32),
        "domain.element_rows": np.full(104, 9),
    }
    calibration = Calibration(floor_v=0.3, spread_weight=1.0, distance_weight=0.0, n=30)
    figures = Evaluation(
        limit_std_v=1.0, errors={}, coverage={}, cross_checked_coverage=0.9, sharpness_v={}, mae_in_domain_v={},
        mae_out_of_domain_v={}, share_out_of_domain={},
    )  # fmt: skip
    card = VoltageCard(
        name="sound", kind="cgcnn", description="made", seeds=(0,), settings={"network": config.to_dict()}, sha256="",
        data_sha256="a" * 64, n_labelled=30, n_refused=0, n_unusual=0, calibration=calibration, evaluation=figures,
        tested="nothing", licence="none", versions={}, command="none", created="2026",
    )  # fmt: skip
    write_model(tmp_path, arrays, card)
    load_voltage_model("sound", tmp_path)
    return tmp_path


def edit_card(folder: Path, **changes) -> None:
    path = folder / "sound.json"
    card = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in card.items() if value is not ...}))


def refused(folder: Path, message: str, name: str = "sound") -> None:
    with pytest.raises(ModelError, match=message):
        load_voltage_model(name, folder)


def test_one_host_in_two_parts_is_refused():
    split = Split(train=np.array([0, 1]), validation=np.array([2]), test=np.array([3]))
    check_hosts_apart(split, ["A", "A", "B", "C"])
    with pytest.raises(TrainingError, match="Host A stands in train and in test"):
        check_hosts_apart(split, ["A", "A", "B", "A"])


class Payload:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_never_run(folder, protocol):
    (folder / "sound.safetensors").write_bytes(pickle.dumps(Payload(), protocol=protocol))
    refused(folder, "is a pickled file")


def test_nor_is_a_torch_archive(folder):
    with zipfile.ZipFile(folder / "sound.safetensors", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Payload()))
    refused(folder, "is a pickled file")


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_bit_fails_the_checksum(folder, place):
    path = folder / "sound.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    refused(folder, "has SHA-256")


def test_a_truncated_file_with_a_matching_hash_fails_too(folder):
    from core.provenance import sha256_of_file

    path = folder / "sound.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    edit_card(folder, sha256=sha256_of_file(path))
    refused(folder, "is not a safetensors file")


@pytest.mark.parametrize("key", ["domain.vectors", "scale", "member.0.to_voltage.bias"])
def test_missing_weights_are_named(folder, key):
    card = read_card(folder, "sound")
    arrays = read_arrays(folder, card)
    del arrays[key]
    write_model(folder, arrays, card)
    refused(folder, "lacks|is incomplete")


@pytest.mark.parametrize("key", ["kind", "sha256", "data_sha256", "calibration", "settings", "evaluation"])
def test_missing_card_keys_are_named(folder, key):
    edit_card(folder, **{key: ...})
    refused(folder, key)


def test_weights_with_nan_are_refused(folder):
    card = read_card(folder, "sound")
    arrays = read_arrays(folder, card)
    arrays["member.0.to_voltage.bias"][:] = np.nan
    write_model(folder, arrays, card)
    refused(folder, "NaN or infinity")


def test_another_data_snapshot_is_said(folder):
    card = read_card(folder, "sound")
    assert data_snapshot_note(card, "a" * 64) is None
    assert "another data snapshot" in (data_snapshot_note(card, "b" * 64) or "")


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"'])
def test_a_card_that_is_not_an_object_is_refused(folder, content):
    (folder / "sound.json").write_text(content)
    refused(folder, "sound.json")


def test_absent_files_are_named(folder):
    refused(folder, "absent.json is missing", "absent")
    refused(folder, "default.json is missing", "default")
    (folder / "sound.safetensors").unlink()
    refused(folder, "sound.safetensors are missing")


@pytest.mark.parametrize("name", ["../sound", "a/b", "", "..", "sound.json"])
def test_a_name_cannot_leave_the_folder(folder, name):
    refused(folder, "is not a model name", name)


def test_a_card_of_another_model_is_refused(folder):
    (folder / "other.json").write_text((folder / "sound.json").read_text())
    refused(folder, "is of model 'sound'", "other")
