"""How people come in: by a password, a link that makes a user, or a provider; and how they leave.

These routes are public; what they answer says nothing of the fleet, and nothing of who is a user.
"""
