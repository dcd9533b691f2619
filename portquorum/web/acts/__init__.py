"""What an operator does: words on incidents, notes, silences, maintenance windows, pauses."""
