"""Tasks: what a person must do by a clock, until it is done."""
