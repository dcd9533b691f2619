"""Brokers, queues, chat."""

from typing import Final

from tests.wide.server import Port, Server

_EPMD: Final = Server(
    name="epmd",
    source="debian erlang-base",
    program=("epmd", "usr/lib/erlang/erts-*/bin/epmd"),
    ports=(Port("port"),),
    command="@program@ -address 127.0.0.1 -port @port@",
)


def _rabbitmq(name: str, port: str, secure: str, plugins: str = "") -> Server:
    """RabbitMQ with these plugins, and what is rightly up at its two ports."""
    return Server(
        name=name,
        source="debian rabbitmq-server",
        # Not the one in /usr/sbin: what that starts is not ours to end.
        program=("none", "usr/lib/rabbitmq/bin/rabbitmq-server"),
        user="rabbitmq",
        needs=(_EPMD,),
        ports=(Port("port", port), Port("secure", f"{secure} tls")),
        files={
            "plugins": f"[{plugins}].",
            "rabbitmq.conf": "listeners.tcp.1 = 127.0.0.1:@port@\n"
            "listeners.ssl.1 = 127.0.0.1:@secure@\nssl_options.certfile = @cert@\n"
            "ssl_options.keyfile = @key@\nssl_options.cacertfile = @ca@\n"
            "ssl_options.verify = verify_none\n",
        },
        env={
            "RABBITMQ_NODENAME": "pq@port@@localhost",
            "RABBITMQ_DIST_PORT": "@other@",
            "RABBITMQ_MNESIA_BASE": "@dir@/mnesia",
            "RABBITMQ_LOG_BASE": "@dir@/log.d",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "@dir@/plugins",
            "RABBITMQ_CONFIG_FILE": "@dir@/rabbitmq",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": "@epmd_port@",
        },
        command="@program@",
    )


_NATS_TLS: Final = "tls {{ cert_file: '@cert@', key_file: '@key@', {more} }}"


def _nats(name: str, up: str, *settings: str) -> Server:
    return Server(
        name=name,
        source="debian nats-server",
        program=("nats-server",),
        ports=(Port("port", up),),
        files={"conf": "\n".join(["listen: 127.0.0.1:@port@", *settings, ""])},
        command="@program@ -c @dir@/conf",
    )


SERVERS: Final = (
    _EPMD,
    _rabbitmq("rabbitmq", "amqp", "amqp/implicit"),
    _rabbitmq(
        "rabbitmq with AMQP 1.0",
        "amqp amqp/1.0",
        "amqp/implicit amqp/1.0/implicit",
        plugins="rabbitmq_amqp1_0",
    ),
    Server(
        name="mosquitto",
        source="debian mosquitto",
        program=("mosquitto",),
        ports=(
            Port("port", "mqtt"),
            Port("secure", "mqtt/implicit tls"),
            Port("clients", "mqtt/implicit tls", ends_without_certificate=True),
            Port("socket", "websocket"),
        ),
        files={
            "conf": "user root\nallow_anonymous true\nlistener @port@ 127.0.0.1\n"
            "listener @secure@ 127.0.0.1\ncertfile @cert@\nkeyfile @key@\n"
            "listener @clients@ 127.0.0.1\ncertfile @cert@\nkeyfile @key@\ncafile @ca@\n"
            "require_certificate true\nlistener @socket@ 127.0.0.1\nprotocol websockets\n"
        },
        command="@program@ -c @dir@/conf",
    ),
    Server(
        name="nats",
        source="debian nats-server",
        program=("nats-server",),
        ports=(
            Port("port", "nats"),
            Port("monitor", "http"),
            Port("mqtt", "mqtt"),
            Port("socket", "http websocket"),
        ),
        files={
            "conf": "listen: 127.0.0.1:@port@\nhttp: 127.0.0.1:@monitor@\nserver_name: pq\n"
            'jetstream { store_dir: "@dir@/js" }\nmqtt { listen: "127.0.0.1:@mqtt@" }\n'
            'websocket { listen: "127.0.0.1:@socket@", no_tls: true }\n'
        },
        command="@program@ -c @dir@/conf",
    ),
    # Without STARTTLS the detail says that it wants TLS.
    _nats("nats that wants TLS", "nats nats/starttls", _NATS_TLS.format(more="")),
    _nats(
        "nats that wants a client's certificate",
        "nats nats/starttls",
        _NATS_TLS.format(more="ca_file: '@ca@', verify: true"),
    ),
    _nats("nats that wants a login", "nats", "authorization { user: a, password: b }"),
    Server(
        name="beanstalkd",
        source="debian beanstalkd",
        program=("beanstalkd",),
        ports=(Port("port"),),
        command="@program@ -l 127.0.0.1 -p @port@",
    ),
    Server(
        name="gearmand",
        source="debian gearman-job-server",
        program=("gearmand",),
        user="nobody",
        ports=(Port("port"),),
        command="@program@ --listen=127.0.0.1 --port=@port@ --log-file=stderr --pid-file=@dir@/pid",
    ),
    Server(
        name="ngircd",
        source="debian ngircd",
        program=("ngircd",),
        ports=(Port("port"), Port("secure", "tls")),
        files={
            "conf": "[Global]\nName = irc.example.com\nInfo = test\nListen = 127.0.0.1\n"
            "Ports = @port@\nServerUID = nobody\nServerGID = nogroup\n"
            "[Limits]\nMaxConnectionsIP = 100\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
            "[SSL]\nCertFile = @cert@\nKeyFile = @key@\nPorts = @secure@\n"
        },
        before=("chmod 644 cert.pem key.pem",),
        command="@program@ -n -f @dir@/conf",
    ),
    Server(
        name="inspircd",
        source="debian inspircd",
        program=("inspircd",),
        user="irc",
        ports=(Port("port"),),
        files={
            "conf": '<server name="irc.example.com" description="t" network="T">\n'
            '<bind address="127.0.0.1" port="@port@" type="clients">\n'
            '<connect allow="*" localmax="100" globalmax="100">\n<pid file="@dir@/pid">\n'
            '<log method="stderr" type="*" level="normal">\n'
        },
        command="@program@ --nofork --config @dir@/conf",
    ),
    Server(
        name="prosody",
        source="debian prosody",
        program=("prosody",),
        user="prosody",
        ports=(Port("port"), Port("server"), Port("web", "http")),
        files={
            "prosody.cfg.lua": 'daemonize = false\npidfile = "@dir@/pid"\n'
            'data_path = "@dir@/data"\ninterfaces = { "127.0.0.1" }\nc2s_ports = { @port@ }\n'
            "s2s_ports = { @server@ }\nhttp_ports = { @web@ }\nhttps_ports = { }\n"
            'http_interfaces = { "127.0.0.1" }\n'
            'modules_enabled = { "roster", "saslauth", "tls", "http" }\n'
            'modules_disabled = { "posix" }\nlog = { info = "*console" }\n'
            'VirtualHost "localhost"\n  ssl = { key = "@key@", certificate = "@cert@" }\n'
        },
        before=("mkdir data",),
        command="@program@ --config @dir@/prosody.cfg.lua",
    ),
    Server(
        name="ejabberd",
        source="debian ejabberd",
        program=("erl",),
        needs=(_EPMD,),
        ports=(Port("port"), Port("web", "http"), Port("mqtt", "mqtt")),
        files={
            "ejabberd.yml": "hosts:\n  - localhost\nloglevel: info\ncertfiles:\n  - @pem@\n"
            "listen:\n  -\n    port: @port@\n    ip: 127.0.0.1\n    module: ejabberd_c2s\n"
            "  -\n    port: @web@\n    ip: 127.0.0.1\n    module: ejabberd_http\n"
            "    request_handlers:\n      /admin: ejabberd_web_admin\n"
            "  -\n    port: @mqtt@\n    ip: 127.0.0.1\n    module: mod_mqtt\n"
            "modules:\n  mod_mqtt: {}\n  mod_disco: {}\n"
        },
        env={
            "EJABBERD_CONFIG_PATH": "@dir@/ejabberd.yml",
            "EJABBERD_LOG_PATH": "@dir@/ejabberd.log",
            "ERL_EPMD_PORT": "@epmd_port@",
        },
        command="@program@ -noinput -pa /usr/lib/x86_64-linux-gnu/ejabberd-23.01/ebin "
        "-sname pq@port@@localhost -kernel inet_dist_use_interface '{127,0,0,1}' "
        "-mnesia dir '\"@dir@/mnesia\"' -s ejabberd",
    ),
)
