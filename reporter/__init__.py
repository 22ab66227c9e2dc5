"""Reporter: a statutory-reporting back office for confirmed child-safety cases."""

__version__ = "0.1.0"
