"""Who may do what: principals and scopes, passwords, tokens, sessions, lockout. Pure.

Nothing here knows HTTP or Kafka: `portquorum.journal` keeps the records, `portquorum.web` asks.
"""
