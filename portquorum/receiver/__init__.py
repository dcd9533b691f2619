"""The receiver of heartbeats: what jobs report over HTTP becomes results in [results].

docs/heartbeats.md says what a client may send. An answer of 2xx is given only after the broker has
confirmed the report (acks=all). Nothing is kept here: any number of receivers work side by side.
"""
