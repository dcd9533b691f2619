"""The roles that an inventory needs on one machine."""

import socket
from collections.abc import Iterable, Mapping

from portquorum.supervisor.role import Role, Stage, portquorum_role
from schemas.policy import Policy, Region


def prober_roles(policy: Iterable[Policy], env: Mapping[str, str]) -> tuple[Role, ...]:
    """One prober for each region, with the region's source address."""
    return tuple(
        portquorum_role(
            f"probe {region.name}",
            *("probe", "--region", region.name),
            *(("--source", region.source) if region.source else ()),
            stage=Stage.PROBERS,
            env=env,
        )
        for region in policy
        if isinstance(region, Region)
    )


def central_roles(env: Mapping[str, str]) -> tuple[Role, ...]:
    """Stream, sink and notifier."""
    return (
        portquorum_role("stream", "stream", stage=Stage.STREAM, env=env),
        portquorum_role("sink", "sink", stage=Stage.READERS, env=env),
        portquorum_role("notify", "notify", stage=Stage.READERS, env=env),
    )


def web_role(listening: socket.socket, env: Mapping[str, str]) -> Role:
    """The page, on a socket that the supervisor holds: a request waits while it is restarted."""
    descriptor = listening.fileno()
    return portquorum_role(
        "web",
        *("web", "--fd", str(descriptor)),
        stage=Stage.READERS,
        env=env,
        fds=(descriptor,),
    )


def changes(running: Iterable[Role], wanted: Iterable[Role]) -> tuple[list[str], list[Role]]:
    """The names of the roles to stop, and the roles to start, for a change of the fleet.

    A role with a changed command line is in both.
    """
    have = {role.name: role for role in running}
    want = {role.name: role for role in wanted}
    stop = [name for name, role in have.items() if want.get(name) != role]
    start = [role for name, role in want.items() if have.get(name) != role]
    return stop, start
