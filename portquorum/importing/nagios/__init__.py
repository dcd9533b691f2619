"""Nagios, and what reads its object files (Naemon, Icinga 1, Shinken): hosts and services."""

from portquorum.importing.nagios.wing import read

__all__ = ["read"]
