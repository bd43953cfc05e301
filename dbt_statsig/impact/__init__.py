"""What a change of the project means for sources and experiments, before it is merged."""
