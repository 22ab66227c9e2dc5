"""The board: everything that is open, by its clock."""
