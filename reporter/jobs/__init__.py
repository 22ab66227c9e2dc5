"""Compliance jobs and their schedule: what runs by itself, at intervals, on one of many machines at a time."""
