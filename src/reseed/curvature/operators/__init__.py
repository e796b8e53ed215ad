"""Matrix-free operators in the weights of networks, all runs in one product.

They are reseed's own. What they must do is not to be had elsewhere: a leading run axis, so that the products of K
stacked networks are one program; a preconditioned form; any seed; a graph of the gradient that is kept between
products, which makes one product as cheap as a backward pass. curvlinops has the operators of a single network without
these, and its Lanczos iteration does not reorthogonalise.
"""
