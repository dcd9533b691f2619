"""Why a target has an incident or none, by the rules' own code from the state of the stream.

The state is read in a process of its own: the newest checkpoint and the records after it may take
seconds and hundreds of MB, which no viewer of another page must feel.
"""
