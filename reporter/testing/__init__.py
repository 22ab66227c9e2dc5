"""Fakes and clocks, shipped so that others can test their adapter."""
