"""What everything that changes something takes and gives: protocols, values, the one error.

Who asks is a `Principal` whose scope was checked before; limits to teams and tags are checked
behind these methods. On return a change is confirmed: it is there after a kill -9, and every
process that reads it sees it. The page, the API and the commands ask; `docs/access.md`.
"""
