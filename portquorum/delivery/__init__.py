"""Who was told, by which channel, and why not: what the notifier keeps in its topics, in words."""
