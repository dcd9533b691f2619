"""Who is spared: the reasons for which an outage is not told now, one a module. Pure."""
