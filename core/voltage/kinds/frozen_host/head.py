"""The head: small networks from the feature vector to the voltage, several of them, differing in their seed alone.

    V = w3 . silu(W2 silu(W1 x + b1) + b2) + b3,    x = clip((features - mean) / std, +-6)

Trained on the mean absolute error with AdamW, dropout and a one-cycle schedule. The hidden layer of the first member
is the learned vector of a structure.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import TrainingError

Arrays = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
_CLIP: Final = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """How a head is trained; chosen on inner folds of the training rows of the first outer fold."""

    hidden: int = 256
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    dropout: float = 0.2


class Head(nn.Module):
    """One member."""

    def __init__(self, n_features: int, config: HeadConfig) -> None:
        super().__init__()
        self.first = nn.Linear(n_features, config.hidden)
        self.second = nn.Linear(config.hidden, config.hidden)
        self.last = nn.Linear(config.hidden, 1)
        self.dropout = nn.Dropout(config.dropout)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the (n, hidden) learned vectors of (n, n_features) standardised features."""
        inner = self.dropout(nn.functional.silu(self.first(x)))
        return nn.functional.silu(self.second(inner))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n,) voltages, V."""
        voltages: Tensor = self.last(self.dropout(self.hidden(x)))[:, 0]
        return voltages


class HeadEnsemble:
    """Members that share the standardisation of their training rows; evaluated in float64."""

    def __init__(self, mean: Floats, std: Floats, members: list[Head]) -> None:
        self.mean, self.std = mean, std
        self.members = [member.eval().double() for member in members]

    def standardised(self, features: NDArray[Any]) -> Tensor:
        """Return (n, n_features) inputs of the members."""
        scaled = (features.astype(np.float64) - self.mean) / self.std
        return torch.from_numpy(np.clip(scaled, -_CLIP, _CLIP))

    def __call__(self, features: NDArray[Any]) -> tuple[Floats, NDArray[np.float32]]:
        """Return (n, n_members) voltages, V, and (n, hidden) learned vectors."""
        inputs = self.standardised(features)
        with torch.no_grad():
            voltages = torch.stack([member(inputs) for member in self.members], dim=1)
            vectors = self.members[0].hidden(inputs)
        return voltages.numpy(), vectors.numpy().astype(np.float32)

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs; weights in float32."""
        arrays: Arrays = {"head.mean": self.mean, "head.std": self.std}
        for number, member in enumerate(self.members):
            for name, tensor in member.state_dict().items():
                arrays[f"head.{number}.{name}"] = tensor.numpy().astype(np.float32)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, n_members: int, config: HeadConfig) -> "HeadEnsemble":
        """Rebuild the ensemble; missing or misshapen arrays raise KeyError or RuntimeError."""
        members = []
        for number in range(n_members):
            member = Head(len(arrays["head.mean"]), config)
            prefix = f"head.{number}."
            member.load_state_dict(
                {
                    name[len(prefix) :]: torch.from_numpy(array)
                    for name, array in arrays.items()
                    if name.startswith(prefix)
                }
            )
            members.append(member)
        return cls(arrays["head.mean"], arrays["head.std"], members)


def train_heads(
    features: NDArray[Any], voltages_v: Floats, *, seeds: tuple[int, ...], config: HeadConfig
) -> HeadEnsemble:
    """Train one member a seed on (n, n_features) features and (n,) voltages. Raises `TrainingError`."""
    if len(features) != len(voltages_v) or not len(features):
        raise TrainingError(
            f"{len(features)} feature vectors and {len(voltages_v)} voltages; they must agree."
        )
    if not (np.isfinite(features).all() and np.isfinite(voltages_v).all()):
        raise TrainingError("Features or voltages hold NaN or infinity; clean the data first.")
    wide = features.astype(np.float64)
    # Once rounded to float32 here, so that an ensemble read back from its file is the same one.
    mean = wide.mean(axis=0).astype(np.float32).astype(np.float64)
    std = np.maximum(wide.std(axis=0), 1e-6).astype(np.float32).astype(np.float64)
    ensemble = HeadEnsemble(mean, std, [])
    inputs, targets = ensemble.standardised(features).float(), torch.from_numpy(voltages_v).float()
    members = [_train_one(inputs, targets, seed=seed, config=config) for seed in seeds]
    return HeadEnsemble(mean, std, members)


def _train_one(inputs: Tensor, targets: Tensor, *, seed: int, config: HeadConfig) -> Head:
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = Head(inputs.shape[1], config)
        optimizer = torch.optim.AdamW(
            head.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        steps = -(-len(inputs) // config.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.learning_rate, total_steps=config.epochs * steps
        )
        for _ in range(config.epochs):
            for rows in torch.randperm(len(inputs), generator=generator).split(config.batch_size):
                loss = (head(inputs[rows]) - targets[rows]).abs().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return head
