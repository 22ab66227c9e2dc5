"""How long what is preserved must be kept and may be: clocks, legal demands and holds, conflicts, disposition."""
