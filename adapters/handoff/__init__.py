"""Authorities without a machine interface: one adapter, driven by one file of data for each."""
