"""Co-distillation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from reseed.mitigations._checks import check_networks, check_option
from reseed.mitigations._entropy import entropy, log_probabilities
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Peers, Penalty


@final
@dataclass(frozen=True)
class CoDistillation(AbstractMitigation):
    """Co-distillation: networks are trained together, and each learns from what the others say.

        L_i = CE(y, p_i) + w_t D(q_i, p_i) + entropy H(p_i),   q_i = mean over peers j != i of p_j

    q_i is held constant in the gradient. D is one of

        ce:     -sum_c q[c] log p[c]                kl:     sum_c q[c] log(q[c] / p[c])
        js:     (KL(q, m) + KL(p, m)) / 2, m = (p + q) / 2      symkl:  (KL(q, p) + KL(p, q)) / 2

    of which ce and kl have the same gradient. The weight w_t is zero during the burn-in, rises linearly over the ramp,
    and stays; the entropy term, which asks for confident predictions, is there from the start. All networks see the
    same batches, in the same order and augmentation; they differ in initial weights and dropout. The first is used.

    Use it when: training may cost several times as much, and inference must cost one network.
    Cost: as many trainings as there are networks, side by side; one network at inference.
    Beware: from the first step on, networks that know nothing teach each other; a burn-in avoids that.

    References:
        Anil et al., "Large scale distributed neural network training through online distillation", ICLR 2018;
        Bhojanapalli et al., "On the Reproducibility of Neural Network Predictions", 2021 (minimum entropy).
    """

    name: ClassVar[str] = "co-distillation"

    networks: int = 2
    """Networks that are trained together."""
    weight: float = 1.0
    """w after burn-in and ramp; zero or more."""
    divergence: Literal["ce", "kl", "js", "symkl"] = "ce"
    """D: ce, kl, js or symkl."""
    burn_in: float = 0.0
    """Share of the steps before networks listen to each other."""
    ramp: float = 0.0
    """Share of the steps, after the burn-in, over which the weight rises."""
    entropy: float = 0.0
    """Weight of the entropy; zero or more. The method is the control where both weights are zero."""

    def __post_init__(self) -> None:
        check_networks(self, "networks", 2, ", for there must be one to learn from")
        check_option(self, "weight", 0 <= self.weight < math.inf, "zero or more")
        check_option(self, "divergence", self.divergence in ("ce", "kl", "js", "symkl"), "ce, kl, js or symkl")
        check_option(self, "burn_in", 0 <= self.burn_in < 1, "a share in [0, 1)")
        check_option(self, "ramp", 0 <= self.ramp <= 1, "a share in [0, 1]")
        check_option(self, "entropy", 0 <= self.entropy < math.inf, "zero or more")

    @property
    def is_active(self) -> bool:
        """Whether any term has a weight."""
        return self.weight > 0 or self.entropy > 0

    @property
    def peers(self) -> Peers:
        """The networks, which share their batches."""
        return Peers(self.networks, serve="first", fresh=("init", "dropout"))

    def penalty(self, batch: Batch) -> Penalty | None:
        """Return what the loss has beside the cross-entropy at this step."""
        weight = self._weight(batch.step, batch.total)
        if weight == 0 and self.entropy == 0:
            return None

        def added(logits: Tensor) -> Tensor:
            losses = self.entropy * entropy(logits) if self.entropy > 0 else torch.zeros((), device=logits.device)
            if weight > 0:
                log_p = log_probabilities(logits)
                losses = losses + weight * _divergence(self.divergence, _of_others(log_p, self.networks), log_p)
            return losses

        return added

    def _weight(self, step: int, total: int) -> float:
        """Return w at a step, from 0."""
        done, rise = step + 1 - round(self.burn_in * total), round(self.ramp * total)
        return self.weight * min(1.0, max(0, done) / max(1, rise))


def _of_others(log_p: Tensor, networks: int) -> Tensor:
    """Return log of the mean probability of a run's other networks, in the order of ``log_p`` [run x network, ...]."""
    runs = log_p.detach().view(-1, networks, *log_p.shape[1:])
    means = [
        torch.cat([runs[:, :own], runs[:, own + 1 :]], dim=1).logsumexp(1) - math.log(networks - 1)
        for own in range(networks)
    ]
    return torch.stack(means, dim=1).view_as(log_p)


def _divergence(name: str, log_q: Tensor, log_p: Tensor) -> Tensor:
    """Return D(q, p) of each sample, from logarithms [..., class], in nats."""
    if name == "ce":
        return -(log_q.exp() * log_p).sum(-1)
    if name == "kl":
        return _kl(log_q, log_p)
    if name == "symkl":
        return (_kl(log_q, log_p) + _kl(log_p, log_q)) / 2
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return (_kl(log_q, log_m) + _kl(log_p, log_m)) / 2


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return (log_p.exp() * (log_p - log_q)).sum(-1)
