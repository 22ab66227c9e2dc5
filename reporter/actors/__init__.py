"""Who acts: enrolled people, what they may do, and how they prove that it is they."""
