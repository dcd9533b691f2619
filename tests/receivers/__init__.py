"""Receivers that tests send to: servers that speak the shapes of real services and check them.

They are no mocks: whatever sends to them uses real connections, and Apprise is left as it is. Each
one says no to what the real service refuses, records what arrived, and misbehaves on demand.
"""
