"""Who is told what, and when: pure decisions on events, routes and outcomes of sends.

`desk.py` is the way in. No file here reads a clock, sends, or knows Kafka.
"""
