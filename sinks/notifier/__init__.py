"""The notifier: tells people of incidents, each event once by each channel."""
