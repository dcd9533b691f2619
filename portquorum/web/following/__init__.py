"""Follows the topics live into the fleet, and tells subscribers of each change."""
