"""Wrong labels and destroyed inputs, made on purpose and known afterwards."""
