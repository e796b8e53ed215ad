"""Studies of several methods beside their control: what each one gains and costs."""
