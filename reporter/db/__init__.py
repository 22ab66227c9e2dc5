"""Engine, types and migrations at run time."""
