"""People who tell us things: a register that knows them again without holding who they are."""
