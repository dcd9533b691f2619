"""Follows the topics live into the fleet, and tells viewers of each change.

`Following` is the way in: its `fleet` answers, its `hub` has the viewers, `run` feeds both.
"""

from portquorum.web.following.following import Following
from portquorum.web.following.hub import Hub

__all__ = ["Following", "Hub"]
