"""Training of one network: seeded, checkpointed, resumed to the same bits on CPU.

The learning rate is a function of the step and the order of the samples one of (seed, epoch): a checkpoint
needs only weights, Adam moments and the epoch, and holds nothing that must be unpickled.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import TrainingError
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.checkpoint import read_checkpoint, write_checkpoint
from core.voltage.kinds.cgcnn.network import NetworkConfig, PooledNetwork, VoltageNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How a network is trained: AdamW, one learning-rate cycle (warm-up, then cosine to zero), L1 loss.

    `patience_epochs`: stop when the validation error has not fallen for so long; None runs to the end. With
    validation rows the weights of the best epoch are returned, without them those of the last.
    """

    epochs: int = 60
    batch_size: int = 64
    max_learning_rate: float = 1e-2
    warm_up: float = 0.15
    weight_decay: float = 1e-2
    gradient_clip: float = 5.0
    patience_epochs: int | None = None
    checkpoint_every: int = 5
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2 or self.checkpoint_every < 1:
            raise TrainingError(
                f"{self.epochs} epochs of batches of {self.batch_size}, saved every {self.checkpoint_every}: at least "
                "1, 2 and 1 are needed."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetwork:
    """A network in evaluation mode, with the scale of its output and the errors along the way.

    Voltage = `mean_v` + `scale_v` * output. `history`: one row an epoch, training loss and validation MAE, V
    (None without validation rows).
    """

    network: PooledNetwork
    mean_v: float
    scale_v: float
    history: list[tuple[float, float | None]]

    @torch.no_grad()
    def predict(
        self, table: GraphTable, rows: NDArray[np.int64] | None = None, batch_size: int = 128
    ) -> Tensor:
        """Return (n,) voltages of the given rows of a table."""
        chosen = torch.arange(len(table)) if rows is None else torch.as_tensor(rows)
        parts = [self.network(table.batch(part)) for part in chosen.split(batch_size)]
        return self.mean_v + self.scale_v * torch.cat(parts)


def train_network(
    table: GraphTable,
    voltages_v: NDArray[np.float64],
    *,
    train: NDArray[np.int64],
    validation: NDArray[np.int64] | None,
    element_table: NDArray[np.float32],
    config: TrainingConfig,
    seed: int,
    checkpoint: Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    network: PooledNetwork | None = None,
) -> TrainedNetwork:
    """Train one network on rows of a table and return it; `progress(epoch, epochs)` is called after each
    epoch.

    `network` is trained where it is given, instead of a new one with the seed's starting weights.
    With `resume` training goes on from `checkpoint` if that exists; one made by other settings is a
    `TrainingError`.
    """
    if not np.isfinite(voltages_v).all():
        raise TrainingError(
            f"{int((~np.isfinite(voltages_v)).sum())} labels are not finite; clean the data first."
        )
    run = _Run.start(table, voltages_v, train, validation, element_table, config, seed, network)
    if resume and checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    while not run.finished:
        run.one_epoch()
        if checkpoint is not None and (run.finished or run.epoch % config.checkpoint_every == 0):
            run.save(checkpoint)
        if progress is not None:
            progress(run.epoch, config.epochs)
    return run.result()


class _Run:
    """The state of a training run between two epochs."""

    def __init__(
        self, table: GraphTable, targets: Tensor, network: PooledNetwork, config: TrainingConfig
    ) -> None:
        self.table, self.targets, self.network, self.config = table, targets, network, config
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=config.max_learning_rate, weight_decay=config.weight_decay
        )
        self.epoch = 0
        self.history: list[tuple[float, float | None]] = []
        self.best: dict[str, Tensor] = {}
        self.best_mae_v = math.inf
        self.best_epoch = 0

    @classmethod
    def start(
        cls,
        table: GraphTable,
        voltages_v: NDArray[np.float64],
        train: NDArray[np.int64],
        validation: NDArray[np.int64] | None,
        element_table: NDArray[np.float32],
        config: TrainingConfig,
        seed: int,
        network: PooledNetwork | None,
    ) -> "_Run":
        mean_v, scale_v = float(voltages_v[train].mean()), float(voltages_v[train].std()) or 1.0
        if network is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                network = VoltageNetwork(torch.as_tensor(element_table), config.network)
        run = cls(
            table, torch.as_tensor((voltages_v - mean_v) / scale_v, dtype=torch.float32), network, config
        )
        run.mean_v, run.scale_v, run.seed = mean_v, scale_v, seed
        run.train = torch.as_tensor(train)
        run.validation = torch.as_tensor(validation) if validation is not None and len(validation) else None
        return run

    mean_v: float
    scale_v: float
    seed: int
    train: Tensor
    validation: Tensor | None

    @property
    def finished(self) -> bool:
        patience = self.config.patience_epochs
        tired = (
            patience is not None and self.validation is not None and self.epoch - self.best_epoch >= patience
        )
        return self.epoch >= self.config.epochs or tired

    def one_epoch(self) -> None:
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        order = self.train[torch.randperm(len(self.train), generator=generator)]
        batches = _without_singletons(order.split(self.config.batch_size))
        self.network.train()
        losses = [
            self._one_step(rows, (self.epoch + index / len(batches)) / self.config.epochs)
            for index, rows in enumerate(batches)
        ]
        self.epoch += 1
        self._validate(float(np.mean(losses)) * self.scale_v)

    def _one_step(self, rows: Tensor, part_done: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.max_learning_rate * _cycle(part_done, self.config.warm_up)
        loss = (self.network(self.table.batch(rows)) - self.targets[rows]).abs().mean()
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss.item()} in epoch {self.epoch + 1}; lower the learning rate."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        return float(loss.item())

    @torch.no_grad()
    def _validate(self, train_loss_v: float) -> None:
        self.network.eval()
        mae_v = None
        if self.validation is not None:
            errors = [
                (self.network(self.table.batch(rows)) - self.targets[rows]).abs()
                for rows in self.validation.split(2 * self.config.batch_size)
            ]
            mae_v = float(torch.cat(errors).mean()) * self.scale_v
            if mae_v < self.best_mae_v:
                self.best_mae_v, self.best_epoch = mae_v, self.epoch
                self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.history.append((train_loss_v, mae_v))

    def result(self) -> TrainedNetwork:
        if self.best:
            self.network.load_state_dict(self.best)
        self.network.eval()
        return TrainedNetwork(
            network=self.network, mean_v=self.mean_v, scale_v=self.scale_v, history=list(self.history)
        )

    def _identity(self) -> str:
        """What a checkpoint must agree with to be gone on from."""
        rows = [len(self.table), int(self.train.sum()), len(self.train)]
        return json.dumps([asdict(self.config), self.seed, rows, self.mean_v, self.scale_v], sort_keys=True)

    def save(self, path: Path) -> None:
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        progress = [self.epoch, self.best_mae_v, self.best_epoch, self.history]
        write_checkpoint(path, tensors, identity=self._identity(), progress=json.dumps(progress))

    def restore(self, path: Path) -> None:
        tensors, progress = read_checkpoint(path, identity=self._identity())
        groups: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "adam": {}}
        for key, value in tensors.items():
            group, name = key.split(".", 1)
            groups[group][name] = value
        self.network.load_state_dict(groups["network"])
        self.best = groups["best"]
        state = self.optimizer.state_dict()
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in groups["adam"].items():
            index, moment = name.split(".", 1)
            moments.setdefault(int(index), {})[moment] = value
        self.optimizer.load_state_dict(state | {"state": moments})
        self.epoch, self.best_mae_v, self.best_epoch, history = json.loads(progress)
        self.history = [(loss, mae) for loss, mae in history]


def _cycle(part_done: float, warm_up: float) -> float:
    """Share of the maximum learning rate: a cosine rise over `warm_up`, then a cosine fall to zero."""
    # Not torch's OneCycleLR: it ends a step earlier and lower, and a training would not repeat the shipped weights.
    if part_done < warm_up:
        return 0.04 + 0.96 * 0.5 * (1.0 - math.cos(math.pi * part_done / warm_up))
    return max(0.5 * (1.0 + math.cos(math.pi * (part_done - warm_up) / (1.0 - warm_up))), 1e-4)


def _without_singletons(batches: tuple[Tensor, ...]) -> list[Tensor]:
    """Join a last batch of one to its forerunner: batch normalisation cannot train on a lone value."""
    joined = list(batches)
    if len(joined) > 1 and len(joined[-1]) == 1:
        joined[-2:] = [torch.cat(joined[-2:])]
    return joined
