"""Runs roles as child processes: restarts those that die, stops all in order, leaves no orphan."""

from portquorum.supervisor.child import follow_supervisor
from portquorum.supervisor.listener import Listener
from portquorum.supervisor.role import Role, Stage, portquorum_role
from portquorum.supervisor.supervisor import STOP_BUDGET_S, Supervisor

__all__ = [
    "STOP_BUDGET_S",
    "Listener",
    "Role",
    "Stage",
    "Supervisor",
    "follow_supervisor",
    "portquorum_role",
]
