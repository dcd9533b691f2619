"""What else listens on a network: logs, telephony, dictionaries, measurements."""

from typing import Final

from tests.wide.server import Port, Server

SERVERS: Final = (
    Server(
        name="rsyslog",
        source="debian rsyslog",
        program=("rsyslogd",),
        ports=(Port("port", over="both"),),
        files={
            "conf": 'global(workDirectory="@dir@")\nmodule(load="imtcp")\nmodule(load="imudp")\n'
            'input(type="imtcp" port="@port@" address="127.0.0.1")\n'
            'input(type="imudp" port="@port@" address="127.0.0.1")\n*.* @dir@/messages\n'
        },
        command="@program@ -n -f @dir@/conf -i @dir@/pid",
    ),
    Server(
        name="snmpd",
        source="debian snmpd",
        program=("snmpd",),
        ports=(Port("port", "snmp/1 snmp snmp/3", over="both"),),
        files={"conf": "rocommunity public 127.0.0.1\n"},
        command="@program@ -f -Lo -C -c @dir@/conf -p @dir@/pid udp:127.0.0.1:@port@ "
        "tcp:127.0.0.1:@port@",
    ),
    Server(
        name="snmpd with another community",
        source="debian snmpd",
        program=("snmpd",),
        # To a community that it does not know it is silent; the engine's id is told to everybody.
        ports=(Port("port", "snmp/3", over="both"),),
        files={"conf": "rocommunity private 127.0.0.1\n"},
        command="@program@ -f -Lo -C -c @dir@/conf -p @dir@/pid udp:127.0.0.1:@port@ "
        "tcp:127.0.0.1:@port@",
    ),
    Server(
        name="coturn",
        source="debian coturn",
        program=("turnserver",),
        ports=(Port("port", "tls", over="both"),),
        command="@program@ -n --listening-ip=127.0.0.1 --listening-port=@port@ --no-cli "
        "--cert=@cert@ --pkey=@key@ --no-dtls --log-file=stdout --pidfile=@dir@/pid "
        "--userdb=@dir@/db --tls-listening-port=@other@ --realm=example.com",
    ),
    Server(
        name="dictd",
        source="debian dictd",
        program=("dictd",),
        ports=(Port("port"),),
        # It wants a dictionary; this one is empty.
        files={
            "conf": 'database none { data "@dir@/none.dict" index "@dir@/none.index" }\n',
            "none.dict": "",
            "none.index": "",
        },
        command="@program@ -d nodetach -c @dir@/conf -p @port@ --listen-to 127.0.0.1 "
        "--pid-file @dir@/pid --locale C",
    ),
    Server(
        name="nrpe",
        source="debian nagios-nrpe-server",
        program=("nrpe",),
        ports=(Port("port", "tls"),),
        files={
            "conf": "server_port=@port@\nserver_address=127.0.0.1\nnrpe_user=nobody\n"
            "nrpe_group=nogroup\nallowed_hosts=127.0.0.1\npid_file=@dir@/pid\n"
            "ssl_cert_file=@cert@\nssl_privatekey_file=@key@\n"
            "command[check_load]=/bin/true\n"
        },
        before=("chmod 644 cert.pem key.pem",),
        command="@program@ -f -c @dir@/conf",
    ),
    Server(
        name="iperf3",
        source="debian iperf3",
        program=("iperf3",),
        ports=(Port("port"),),
        command="sh -c 'while :; do @program@ -s -B 127.0.0.1 -p @port@ || sleep 0.1; done'",
    ),
    Server(
        name="tcpserver that says nothing",
        source="debian ucspi-tcp",
        program=("tcpserver",),
        ports=(Port("port"),),
        command="@program@ -HRl localhost 127.0.0.1 @port@ sleep 60",
    ),
    Server(
        name="tcpserver that echoes",
        source="debian ucspi-tcp",
        program=("tcpserver",),
        ports=(Port("port"),),
        command="@program@ -HRl localhost 127.0.0.1 @port@ cat",
    ),
)
