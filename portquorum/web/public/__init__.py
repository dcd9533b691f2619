"""What everybody may see: status pages, feeds and badges, answered before the door.

`app.PublicApp` answers, `keeper.Keeper` keeps what it answers from.
"""
