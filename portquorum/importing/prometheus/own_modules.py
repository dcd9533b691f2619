"""The modules of the file that comes with the exporter (`blackbox.yml` of its repository)."""

from typing import Any, Final

from portquorum.importing.prometheus.modules import Module, module_of
from portquorum.importing.source_yaml import Fields


def _made(prober: str, **section: Any) -> dict[str, Any]:
    return {"prober": prober} | ({prober: section} if section else {})


OF_THE_EXPORTER: Final[dict[str, dict[str, Any]]] = {
    "http_2xx": _made("http"),
    "http_post_2xx": _made("http", method="POST"),
    "tcp_connect": _made("tcp"),
    "pop3s_banner": _made("tcp", query_response=[{"expect": "^+OK"}], tls=True),
    "grpc": _made("grpc", tls=True),
    "grpc_plain": _made("grpc", service="service1"),
    "ssh_banner": _made(
        "tcp",
        query_response=[{"expect": "^SSH-2.0-"}, {"send": "SSH-2.0-blackbox-ssh-check"}],
    ),
    "ssh_banner_extract": {"timeout": "5s"}
    | _made("tcp", query_response=[{"expect": "^SSH-2.0-([^ -]+)(?: (.*))?$"}]),
    "irc_banner": _made(
        "tcp",
        query_response=[
            {"send": "NICK prober"},
            {"send": "USER prober prober prober :prober"},
            {"expect": "PING :([^ ]+)", "send": "PONG ${1}"},
            {"expect": "^:[^ ]+ 001"},
        ],
    ),
    "icmp": _made("icmp"),
    "icmp_ttl5": {"timeout": "5s"} | _made("icmp", ttl=5),
    "websocket": _made("websocket"),
}
"""The modules of the file that comes with the exporter, which holds where nobody wrote another.

Without http_3xx and postgresql, which only the newest versions have.
"""


def of_the_exporter() -> dict[str, Module]:
    """Those modules, as `module_of` makes them."""
    file = "the exporter's own blackbox.yml"
    return {
        name: module_of(name, Fields(written, file, name), assumed=True)
        for name, written in OF_THE_EXPORTER.items()
    }
