"""How far an answer is from changing when its input changes: by noise, by corruption, by an adversary."""
