"""What is done: one pipeline, and a function for each command over it."""
