"""Dated rule packs as data: who must be told, how fast, what is kept and for how long; evaluation is pure."""
