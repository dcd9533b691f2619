"""The notifier: tells people and on-call systems about incidents. One is active at a time.

Nothing is imported here: who asks the pure parts (routing, decision) loads no code of channels.
"""
