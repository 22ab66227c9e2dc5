"""Evidence: sealed on the way in, preservation records, the view log."""
