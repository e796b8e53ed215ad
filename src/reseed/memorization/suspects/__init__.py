"""Which training labels are wrong: what networks that did not see a sample say of its label, and those that did."""
