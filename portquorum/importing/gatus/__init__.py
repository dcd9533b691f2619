"""Gatus: its files, and folders of them, as an inventory."""

from portquorum.importing.gatus.wing import read

__all__ = ["read"]
