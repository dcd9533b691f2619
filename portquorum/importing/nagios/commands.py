"""Commands: macros filled in, and the command line in its words.

Source: https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macros.html, and the
sample `commands.cfg` of Nagios Core for commands whose definition is not in the files.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from portquorum.importing.nagios.objects import Object

_MACRO: Final = re.compile(r"\$([A-Z0-9_]+(?::[^$]*)?|)\$")
_DEPTH: Final = 5
_VALUED: Final[Mapping[str, frozenset[str]]] = {
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-R", "-D", "--user"}),
    "env": frozenset({"-u", "-C", "-S"}),
    "nice": frozenset({"-n"}),
    "time": frozenset({"-f", "-o"}),
    "exec": frozenset({"-a"}),
}
"""Programs that run the one behind them, and their options whose value is a word of its own."""

_LONGEST: Final = 20_000

SAMPLES: Final = {
    "check-host-alive": "check_ping -H $HOSTADDRESS$ -w 3000.0,80% -c 5000.0,100% -p 5",
    "check-fast-alive": "check_ping -H $HOSTADDRESS$ -w 3000.0,80% -c 5000.0,100% -p 5",
    "check_ping": "check_ping -H $HOSTADDRESS$ -w $ARG1$ -c $ARG2$ -p 5",
    "check_tcp": "check_tcp -H $HOSTADDRESS$ -p $ARG1$ $ARG2$",
    "check_udp": "check_udp -H $HOSTADDRESS$ -p $ARG1$ $ARG2$",
    "check_http": "check_http -I $HOSTADDRESS$ $ARG1$",
    "check_https": "check_http -I $HOSTADDRESS$ -S $ARG1$",
    "check_ftp": "check_ftp -H $HOSTADDRESS$ $ARG1$",
    "check_ssh": "check_ssh $ARG1$ $HOSTADDRESS$",
    "check_smtp": "check_smtp -H $HOSTADDRESS$ $ARG1$",
    "check_pop": "check_pop -H $HOSTADDRESS$ $ARG1$",
    "check_imap": "check_imap -H $HOSTADDRESS$ $ARG1$",
    "check_snmp": "check_snmp -H $HOSTADDRESS$ $ARG1$",
    "check_dns": "check_dns -s $HOSTADDRESS$ -H $ARG1$",
    "check_nrpe": "check_nrpe -H $HOSTADDRESS$ -c $ARG1$",
    "check_nt": "check_nt -H $HOSTADDRESS$ -p 12489 -v $ARG1$ $ARG2$",
    "check_dhcp": "check_dhcp $ARG1$",
    "check_hpjd": "check_hpjd -H $HOSTADDRESS$ $ARG1$",
}


class Command(Struct, frozen=True):
    """A command line in words: the plugin's name, its arguments, and whether it is negated.

    `sample`: its definition is not in the files, and that of Nagios' samples was taken.
    """

    plugin: str
    arguments: tuple[str, ...]
    negated: bool = False
    sample: bool = False


def command(
    written: str,
    commands: Mapping[str, str],
    users: Mapping[str, str],
    host: Object,
    service: Object | None,
) -> Command:
    """The command of `check_command`, filled in for a host and a service.

    Raises:
        ValueError: it is not defined, or can't be split into words.
    """
    name, *given = [part.replace("\\!", "!") for part in re.split(r"(?<!\\)!", written)]
    name = name.strip()
    line = commands.get(name)
    sample = line is None
    if line is None:
        line = SAMPLES.get(name)
    if line is None:
        if not name.startswith("check_"):
            raise ValueError(f"the command {name!r} is not defined in the files")
        # The plugin itself, as names of commands most often are.
        line = (
            f"{name} -H $HOSTADDRESS$ {' '.join(f'$ARG{at}$' for at in range(1, len(given) + 1))}"
        )
    values = _macros(given, users, host, service)
    filled = _filled(line, values)
    try:
        words = shlex.split(filled)
    except ValueError:
        raise ValueError(f"the command line of {name!r} has a quote without an end") from None
    return _without_wrappers(words, name, sample=sample)


def _macros(
    given: list[str], users: Mapping[str, str], host: Object, service: Object | None
) -> dict[str, str]:
    values = {f"ARG{at}": text.strip() for at, text in enumerate(given, 1)}
    values |= {name: text for name, text in users.items() if name in {"USER1", "USER2"}}
    name = host.get("host_name")
    values |= {
        "HOSTNAME": name,
        "HOSTALIAS": host.get("alias") or name,
        "HOSTDISPLAYNAME": host.get("display_name") or name,
        "HOSTADDRESS": host.get("address") or name,
        "HOSTADDRESS6": host.get("address6") or host.get("address") or name,
        "HOSTGROUPNAME": host.get("hostgroups").partition(",")[0],
    }
    values |= {f"_HOST{key[1:]}": text for key, text in host.values.items() if key.startswith("_")}
    if service is not None:
        values["SERVICEDESC"] = service.get("service_description")
        values |= {
            f"_SERVICE{key[1:]}": text
            for key, text in service.values.items()
            if key.startswith("_")
        }
    return values


def _filled(line: str, values: Mapping[str, str]) -> str:
    """The line with its macros; `$USERn$` of secrets stay, unknown arguments are empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not name:
            return "$"
        if name in values:
            return values[name]
        return "" if name.startswith(("ARG", "_")) else found[0]

    for _ in range(_DEPTH):
        filled = _MACRO.sub(value, line)[:_LONGEST]
        if filled == line:
            break
        line = filled
    return line


def _without_wrappers(words: list[str], name: str, *, sample: bool) -> Command:
    negated = False
    while words:
        tool = words[0].rpartition("/")[2]
        if tool in _VALUED:
            words = words[1:]
            while words and (words[0].startswith("-") or "=" in words[0]):
                words = words[2:] if words[0] in _VALUED[tool] else words[1:]
        elif tool == "timeout" and len(words) > 1:
            words = words[2:]
        elif tool == "negate":
            negated, words = not negated, words[1:]
            while words and words[0].startswith("-"):
                words = words[1:] if "=" in words[0] or words[0] == "-s" else words[2:]
        elif tool in {"perl", "python", "python3", "bash", "sh", "ruby", "php"} and len(words) > 1:
            words = words[1:]
        else:
            plugin = re.sub(r"\.(?:pl|py|sh|rb|php|exe)$", "", tool.rpartition("\\")[2])
            return Command(plugin, tuple(words[1:]), negated, sample)
    raise ValueError(f"the command line of {name!r} is empty")
