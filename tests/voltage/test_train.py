"""Training: it learns, it repeats, it goes on where it stopped to the same bits, and it refuses what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import TrainingError
from core.voltage.elements import element_table
from core.voltage.kinds.cgcnn.network import NetworkConfig
from core.voltage.kinds.cgcnn.training import TrainedNetwork, TrainingConfig, train_network
from tests.voltage.labelled import halves, labelled, table

SMALL = TrainingConfig(
    epochs=6, batch_size=7, checkpoint_every=2, network=NetworkConfig(n_features=8, n_hidden=8)
)


def run(config=SMALL, *, seed=0, validation=True, voltages_v=None, **options) -> TrainedNetwork:
    train, held = halves()
    return train_network(
        table(), labelled().voltages_v if voltages_v is None else voltages_v, train=train,
        validation=held if validation else None, element_table=element_table(), config=config, seed=seed, **options,
    )  # fmt: skip


def same_bits(one: TrainedNetwork, two: TrainedNetwork) -> bool:
    pairs = zip(one.network.state_dict().values(), two.network.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs) and one.history == two.history


def test_it_learns_what_the_mean_does_not_know():
    trained = run(replace(SMALL, epochs=40))
    labels, held = labelled().voltages_v, halves()[1]
    errors = np.abs(trained.predict(table(), held).numpy() - labels[held])
    assert errors.mean() < 0.5 * np.abs(labels[held] - labels.mean()).mean()
    assert trained.history[-1][0] < trained.history[0][0]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    state = torch.random.get_rng_state()
    assert same_bits(run(), run())
    assert not same_bits(run(), run(seed=1))
    assert torch.equal(state, torch.random.get_rng_state())  # no global random state is touched


@pytest.mark.parametrize("validation", [True, False])
def test_a_resumed_run_equals_an_unbroken_one(tmp_path, validation):
    class Stopped(Exception):
        pass

    def stop(epoch: int, _epochs: int) -> None:
        if epoch == 5:  # a checkpoint was written after epoch 4; epoch 5 is lost
            raise Stopped

    path = tmp_path / "run.safetensors"
    with pytest.raises(Stopped):
        run(validation=validation, checkpoint=path, progress=stop)
    epochs: list[int] = []
    resumed = run(
        validation=validation, checkpoint=path, resume=True, progress=lambda epoch, _: epochs.append(epoch)
    )
    assert epochs == [5, 6]
    assert same_bits(resumed, run(validation=validation))
    assert same_bits(
        run(validation=validation, checkpoint=path, resume=True), resumed
    )  # a finished run stays


def test_without_resume_a_checkpoint_is_passed_over(tmp_path):
    path = tmp_path / "run.safetensors"
    run(checkpoint=path)
    assert len(run(checkpoint=path).history) == SMALL.epochs


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    run(checkpoint=path)
    for change in ({"seed": 1}, {"config": replace(SMALL, batch_size=8)}):
        with pytest.raises(TrainingError, match="is of another run"):
            run(checkpoint=path, resume=True, **change)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"\x80\x04 not tensors")
    with pytest.raises(TrainingError, match="cannot be read"):
        run(checkpoint=path, resume=True)


def test_patience_stops_early_and_returns_the_best_epoch():
    trained = run(replace(SMALL, epochs=200, patience_epochs=3, max_learning_rate=0.1))
    errors = [mae for _, mae in trained.history]
    assert len(errors) < 200
    assert len(errors) - 1 - int(np.argmin(errors)) == 3
    held = halves()[1]
    found = np.abs(trained.predict(table(), held).numpy() - labelled().voltages_v[held]).mean()
    assert found == pytest.approx(min(errors), abs=1e-5)


def test_a_last_batch_of_one_is_joined_to_the_one_before():
    assert len(halves()[0]) % 29 == 1
    assert len(run(replace(SMALL, epochs=1, batch_size=29)).history) == 1


def test_nan_labels_and_bad_settings_are_refused():
    labels = labelled().voltages_v
    labels[4] = np.nan
    with pytest.raises(TrainingError, match="1 labels are not finite"):
        run(voltages_v=labels)
    with pytest.raises(TrainingError, match="at least"):
        TrainingConfig(batch_size=1)


def test_a_loss_that_is_not_finite_stops_the_run():
    with pytest.raises(TrainingError, match="lower the learning rate"):
        run(replace(SMALL, max_learning_rate=1e30, gradient_clip=1e30))
