"""Made-up rows of a comparison."""

from reseed.instability import ComparedMethod, Estimate, MethodCost, MethodEffect


def around(value, reach):
    """An estimate with an interval around it."""
    return Estimate(value, value - reach, value + reach, reach / 2, "two-way", 10, 100)


def made(name, reduction, training=1.0, inference=1.0, *, accuracy=0.0, null=0.0, reach=5.0):
    """A method that reduces by so much at such a cost; accuracy is in shares, give or take 0.002."""
    nothing = around(0.1, 0.01)
    effect = MethodEffect(
        accuracy=nothing,
        accuracy_difference=around(accuracy, 0.002),
        label_entropy=nothing,
        reduction=around(reduction, reach),
        high_reduction=None,
        beyond_null=None if null is None else around(reduction - null, reach),
        high_beyond_null=None,
        unstable_fraction=nothing,
        jitter=nothing,
        negative_flip_rate=None,
        nll=None,
        ece=None,
    )
    return ComparedMethod(name, "method", None, effect, MethodCost(training, inference, 1.0), None, {})
