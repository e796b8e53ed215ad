"""How much models of about the same loss differ in labels and probabilities.

In `reseed.instability` the name `multiplicity` is the function, as users know it; the files here are found by
`from reseed.instability.multiplicity import _rashomon`.
"""
