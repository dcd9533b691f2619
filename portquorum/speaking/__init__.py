"""What people say of incidents (acknowledged, resolved), and what the stream makes of it. Pure."""
