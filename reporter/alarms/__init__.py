"""Alarms: what a person must hear of, until somebody says that they have."""
