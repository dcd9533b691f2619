"""Alertmanager: who is told of what, as routes."""

from portquorum.importing.alertmanager.wing import read

__all__ = ["read"]
