"""Silences: what each matches, and their records in [policy]."""
