"""What comes back: links in messages, and acknowledgements in on-call systems."""
