"""The peer of the stacked engine in JAX: all runs of a fully connected network as one jit(vmap(scan)) program."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from torch import nn

from reseed.training import StackedTraining


def jax_seconds(training: StackedTraining, models: Sequence[nn.Sequential], repetitions: int) -> dict[str, object]:
    """Time the same training in JAX: the same initial weights, batches, cross-entropy and SGD with momentum.

    Data, batches and initial weights are on the device before the clock starts; compilation is timed apart. The last,
    shorter batch of an epoch is filled up with samples of weight zero, since a scan wants batches of one size.

    Args:
        training: What reseed trains; of a recipe without dropout and weight decay at a constant rate.
        models: The runs' freshly drawn models.
        repetitions: How often to time it.

    Returns:
        ``compile_s``, ``seconds`` of each repetition, and the largest difference to reseed's losses at the first step.
    """
    import jax
    import jax.numpy as jnp

    config, data, size = training.recipe.optimizer, training.data, training.recipe.batch_size
    layers = [[layer for layer in model if isinstance(layer, nn.Linear)] for model in models]
    weights = [
        (
            jnp.asarray(np.stack([layer.weight.detach().numpy().T for layer in own])),
            jnp.asarray(np.stack([layer.bias.detach().numpy() for layer in own])),
        )
        for own in zip(*layers, strict=True)
    ]
    rows, counts = _batches(training, size)
    inputs, labels = jnp.asarray(data.inputs.flatten(1).numpy()), jnp.asarray(data.labels.numpy())

    def loss_of(
        parameters: list[tuple[jax.Array, jax.Array]], x: jax.Array, y: jax.Array, known: jax.Array
    ) -> jax.Array:
        for place, (weight, bias) in enumerate(parameters):
            x = x @ weight + bias
            if place < len(parameters) - 1:
                x = jax.nn.relu(x)
        own = jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)[:, 0]
        return -(own * known).sum() / known.sum()

    def train(parameters: list[tuple[jax.Array, jax.Array]], order: jax.Array) -> tuple[object, jax.Array]:
        def step(state: tuple[object, object], batch: tuple[jax.Array, jax.Array]) -> tuple[object, jax.Array]:
            values, momenta = state
            index, count = batch
            known = (jnp.arange(size) < count).astype(jnp.float32)
            loss, gradient = jax.value_and_grad(loss_of)(values, inputs[index], labels[index], known)
            momenta = jax.tree.map(lambda m, g: config.momentum * m + g, momenta, gradient)
            values = jax.tree.map(lambda w, m: w - config.lr * m, values, momenta)
            return (values, momenta), loss

        return jax.lax.scan(step, (parameters, jax.tree.map(jnp.zeros_like, parameters)), (order, counts))

    start = time.perf_counter()
    program = jax.jit(jax.vmap(train)).lower(weights, rows).compile()
    compile_s = time.perf_counter() - start
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        _, losses = jax.block_until_ready(program(weights, rows))
        taken.append(time.perf_counter() - start)
    first = next(training.steps()).loss.numpy()
    return {
        "compile_s": compile_s,
        "seconds": taken,
        "first_loss_difference": float(np.abs(np.asarray(losses)[:, 0] - first).max()),
    }


def _batches(training: StackedTraining, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of all batches [run, step, sample], and how many of each count [step]."""
    whole, counts = [], []
    orders = zip(*(training.orders(seeds, training.bootstrap) for seeds in training.seeds), strict=True)
    for rows in training.batches(np.stack(order) for order in orders):
        counts.append(rows.shape[1])
        whole.append(np.pad(rows.numpy(), ((0, 0), (0, size - rows.shape[1]))))
    return np.stack(whole, 1).astype(np.int32), np.asarray(counts, np.int32)
