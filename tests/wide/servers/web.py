"""Web servers and proxies."""

from typing import Final

from tests.wide.attempts import DOMAIN
from tests.wide.server import Port, Server
from tests.wide.servers.foreign import GRPCIO, WEBSOCKETS
from tests.wide.servers.names import REGISTRATION

_PLAIN: Final = Port("port", "http")
_PAGE_IN_TLS: Final = "http/tls http/certificate tcp/certificate tls"
_SECURE: Final = Port("secure", _PAGE_IN_TLS)
# They say in plain HTTP that the port wants HTTPS: 400 is an answer in HTTP.
_SECURE_AND_SAYS_SO: Final = Port("secure", f"http {_PAGE_IN_TLS}")
_CLIENTS: Final = Port(
    "clients", "http/certificate tcp/certificate tls", ends_without_certificate=True
)
_CLIENTS_SAYS_SO: Final = Port(
    "clients", "http http/certificate tcp/certificate tls", ends_without_certificate=True
)
_PAGE: Final = {"page/index.html": "here\n"}
_PROXY: Final = Port("port", "http http/proxy http/tunnel")

_NGINX: Final = Server(
    name="nginx",
    source="debian nginx-light",
    program=("nginx",),
    ports=(_PLAIN, _SECURE_AND_SAYS_SO),
    files={
        **_PAGE,
        "nginx.conf": "daemon off; pid @dir@/pid; error_log stderr; worker_processes 1;\n"
        "events {}\nhttp { access_log off; root @dir@/page;\n"
        "client_body_temp_path @dir@/t1; proxy_temp_path @dir@/t2; fastcgi_temp_path @dir@/t3;\n"
        "uwsgi_temp_path @dir@/t4; scgi_temp_path @dir@/t5;\n"
        "server { listen 127.0.0.1:@port@; }\n"
        "server { listen 127.0.0.1:@secure@ ssl http2; ssl_certificate @cert@; "
        "ssl_certificate_key @key@; } }\n",
    },
    command="@program@ -c @dir@/nginx.conf -e stderr",
)

_APACHE_PORTS: Final = ("port", "socket", "dead", "clients", "old")
_APACHE_MODULES: Final = (
    "mpm_event",
    "authz_core",
    "dir",
    "http2",
    "ssl",
    "proxy",
    "proxy_http",
    "proxy_connect",
    "proxy_wstunnel",
)


def _squid(name: str, access: str, port: Port) -> Server:
    """squid as a proxy that has this rule for all."""
    return Server(
        name=name,
        source="debian squid",
        program=("squid",),
        user="proxy",
        ports=(port,),
        files={
            "conf": f"http_access {access}\n"
            "http_port 127.0.0.1:@port@\npid_filename @dir@/pid\ncache deny all\n"
            "cache_log @dir@/cache.log\naccess_log none\ncoredump_dir @dir@\n"
            "shutdown_lifetime 0 seconds\npinger_enable off\nmax_filedescriptors 1024\n"
            "visible_hostname localhost\n"
        },
        command="@program@ -N -f @dir@/conf -n pq@port@",
    )


SERVERS: Final = (
    _NGINX,
    Server(
        name="nginx as a proxy",
        source="debian nginx-light",
        program=("nginx",),
        needs=(GRPCIO, WEBSOCKETS),
        # Where nobody is behind it says 502; without a client's certificate 400, by a page.
        ports=(
            Port("socket", "http websocket"),
            Port("socket_secure", "http http/tls http/certificate websocket/tls tls"),
            Port("grpc", "grpc"),
            Port("grpc_secure", "http http/tls http/certificate grpc/tls tls"),
            Port("dead", "http"),
            Port("grpc_dead"),
            Port("clients", f"http websocket/tls {_PAGE_IN_TLS}"),
        ),
        files={
            **_PAGE,
            "nginx.conf": "daemon off; pid @dir@/pid; error_log stderr; worker_processes 1;\n"
            "events {}\nhttp { access_log off; root @dir@/page;\n"
            "client_body_temp_path @dir@/t1; proxy_temp_path @dir@/t2;\n"
            "fastcgi_temp_path @dir@/t3; uwsgi_temp_path @dir@/t4; scgi_temp_path @dir@/t5;\n"
            "ssl_certificate @cert@; ssl_certificate_key @key@; proxy_http_version 1.1;\n"
            "map $http_upgrade $connection_word { default upgrade; '' close; }\n"
            "proxy_set_header Upgrade $http_upgrade;\n"
            "proxy_set_header Connection $connection_word;\n"
            "server { listen 127.0.0.1:@socket@; listen 127.0.0.1:@socket_secure@ ssl;\n"
            "location / { proxy_pass http://127.0.0.1:@websockets_port@; } }\n"
            "server { listen 127.0.0.1:@grpc@ http2; listen 127.0.0.1:@grpc_secure@ ssl http2;\n"
            "location / { grpc_pass grpc://127.0.0.1:@grpcio_port@; } }\n"
            "server { listen 127.0.0.1:@dead@;\n"
            "location / { proxy_pass http://127.0.0.1:@other@; } }\n"
            "server { listen 127.0.0.1:@grpc_dead@ http2;\n"
            "location / { grpc_pass grpc://127.0.0.1:@other@; } }\n"
            "server { listen 127.0.0.1:@clients@ ssl; ssl_verify_client on;\n"
            "ssl_client_certificate @ca@; } }\n",
        },
        command="@program@ -c @dir@/nginx.conf -e stderr",
    ),
    Server(
        name="caddy",
        source="debian caddy",
        program=("caddy",),
        needs=(GRPCIO, WEBSOCKETS),
        ports=(
            _PLAIN,
            _SECURE_AND_SAYS_SO,
            _CLIENTS_SAYS_SO,
            Port("registry", "http domain"),
            Port("socket", "http websocket"),
            Port("grpc", "http grpc"),
            Port("grpc_secure", "http http/tls http/certificate grpc/tls tls"),
            Port("dead", "http"),
        ),
        files={
            **_PAGE,
            f"registry/rdap/domain/{DOMAIN}": REGISTRATION,
            "Caddyfile": "{\n admin off\n auto_https off\n"
            " servers {\n  protocols h1 h2 h2c\n  strict_sni_host insecure_off\n }\n}\n"
            "(page) {\n bind 127.0.0.1\n root * @dir@/page\n file_server\n}\n"
            "http://:@port@ {\n import page\n}\n"
            "https://:@secure@ {\n tls @cert@ @key@\n import page\n}\n"
            "https://:@clients@ {\n tls @cert@ @key@ {\n  client_auth {\n"
            "   mode require_and_verify\n   trusted_ca_cert_file @ca@\n  }\n }\n"
            " import page\n}\n"
            "http://:@registry@ {\n bind 127.0.0.1\n root * @dir@/registry\n"
            " header Content-Type application/rdap+json\n file_server\n}\n"
            "http://:@socket@ {\n bind 127.0.0.1\n"
            " reverse_proxy 127.0.0.1:@websockets_port@\n}\n"
            "http://:@grpc@ {\n bind 127.0.0.1\n reverse_proxy h2c://127.0.0.1:@grpcio_port@\n}\n"
            "https://:@grpc_secure@ {\n bind 127.0.0.1\n tls @cert@ @key@\n"
            " reverse_proxy h2c://127.0.0.1:@grpcio_port@\n}\n"
            "http://:@dead@ {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:@other@\n}\n",
        },
        command="@program@ run --config @dir@/Caddyfile --adapter caddyfile",
    ),
    Server(
        name="apache",
        source="debian apache2-bin",
        program=("apache2",),
        ports=(_PLAIN, _SECURE_AND_SAYS_SO),
        files={
            **_PAGE,
            "apache.conf": "ServerRoot /usr/lib/apache2\nServerName localhost\n"
            "PidFile @dir@/pid\nDefaultRuntimeDir @dir@\nErrorLog /dev/stderr\n"
            "Mutex file:@dir@\nUser www-data\nGroup www-data\nListen 127.0.0.1:@port@\n"
            "Listen 127.0.0.1:@secure@\nLoadModule mpm_event_module modules/mod_mpm_event.so\n"
            "LoadModule authz_core_module modules/mod_authz_core.so\n"
            "LoadModule dir_module modules/mod_dir.so\nLoadModule ssl_module modules/mod_ssl.so\n"
            "LoadModule http2_module modules/mod_http2.so\nProtocols h2 http/1.1\n"
            "DocumentRoot @dir@/page\n<VirtualHost 127.0.0.1:@secure@>\nSSLEngine on\n"
            "SSLCertificateFile @cert@\nSSLCertificateKeyFile @key@\n</VirtualHost>\n",
        },
        command="@program@ -f @dir@/apache.conf -DFOREGROUND",
    ),
    Server(
        name="apache as a proxy",
        source="debian apache2-bin",
        program=("apache2",),
        needs=(WEBSOCKETS,),
        ports=(
            _PROXY,
            Port("socket", "http websocket"),
            Port("dead", "http"),
            _CLIENTS_SAYS_SO,
            # Whatever is offered by ALPN, it chooses http/1.1: OpenSSL breaks off where h2 was.
            Port("old", "http websocket/tls http/tls http/certificate tls"),
        ),
        files={
            **_PAGE,
            "apache.conf": "ServerRoot /usr/lib/apache2\nServerName localhost\n"
            "PidFile @dir@/pid\nDefaultRuntimeDir @dir@\nErrorLog /dev/stderr\n"
            "Mutex file:@dir@\nUser www-data\nGroup www-data\n"
            + "".join(f"Listen 127.0.0.1:@{port}@\n" for port in _APACHE_PORTS)
            + "".join(
                f"LoadModule {name}_module modules/mod_{name}.so\n" for name in _APACHE_MODULES
            )
            + "DocumentRoot @dir@/page\n"
            "<VirtualHost 127.0.0.1:@port@>\nProxyRequests On\nAllowCONNECT 1-65535\n"
            "</VirtualHost>\n"
            "<VirtualHost 127.0.0.1:@socket@>\n"
            "ProxyPass / http://127.0.0.1:@websockets_port@/ upgrade=websocket\n</VirtualHost>\n"
            "<VirtualHost 127.0.0.1:@dead@>\nProxyPass / http://127.0.0.1:@other@/\n"
            "</VirtualHost>\n"
            "<VirtualHost 127.0.0.1:@old@>\nSSLEngine on\nSSLCertificateFile @cert@\n"
            "SSLCertificateKeyFile @key@\n"
            "ProxyPass / http://127.0.0.1:@websockets_port@/ upgrade=websocket\n</VirtualHost>\n"
            "<VirtualHost 127.0.0.1:@clients@>\nProtocols h2 http/1.1\nSSLEngine on\n"
            "SSLCertificateFile @cert@\nSSLCertificateKeyFile @key@\nSSLCACertificateFile @ca@\n"
            "SSLVerifyClient require\n</VirtualHost>\n",
        },
        command="@program@ -f @dir@/apache.conf -DFOREGROUND",
    ),
    Server(
        name="lighttpd",
        source="debian lighttpd",
        program=("lighttpd",),
        ports=(_PLAIN,),
        files={
            **_PAGE,
            "conf": 'server.document-root = "@dir@/page"\nserver.port = @port@\n'
            'server.bind = "127.0.0.1"\nindex-file.names = ("index.html")\n',
        },
        command="@program@ -D -f @dir@/conf",
    ),
    Server(
        name="mini_httpd",
        source="debian mini-httpd",
        program=("mini_httpd",),
        ports=(_PLAIN,),
        files=_PAGE,
        command="@program@ -D -h 127.0.0.1 -p @port@ -d @dir@/page -l /dev/null -i @dir@/pid",
    ),
    Server(
        name="haproxy",
        source="debian haproxy",
        program=("haproxy",),
        needs=(_NGINX,),
        ports=(_PLAIN, _SECURE, Port("stats", "http"), Port("dead")),
        files={
            "conf": "defaults\n mode http\n timeout connect 2s\n timeout client 5s\n"
            " timeout server 5s\nfrontend f\n bind 127.0.0.1:@port@\n"
            " bind 127.0.0.1:@secure@ ssl crt @pem@\n default_backend b\n"
            "backend b\n server s 127.0.0.1:@nginx_port@\n"
            "frontend stats\n bind 127.0.0.1:@stats@\n stats enable\n stats uri /\n"
            "frontend dead\n mode tcp\n bind 127.0.0.1:@dead@\n default_backend nobody\n"
            "backend nobody\n mode tcp\n server n 127.0.0.1:@other@\n",
        },
        command="@program@ -db -f @dir@/conf",
    ),
    Server(
        name="haproxy before others",
        source="debian haproxy",
        program=("haproxy",),
        needs=(_NGINX, GRPCIO, WEBSOCKETS),
        # With nobody behind it says 503.
        ports=(
            Port("socket", "http websocket"),
            Port("grpc", "grpc"),
            Port("grpc_secure", "http/tls http/certificate grpc/tls tls"),
            Port("dead", "http"),
            _CLIENTS,
        ),
        files={
            "conf": "defaults\n mode http\n timeout connect 2s\n timeout client 5s\n"
            " timeout server 5s\n timeout tunnel 5s\n"
            "frontend socket\n bind 127.0.0.1:@socket@\n default_backend sockets\n"
            "backend sockets\n server s 127.0.0.1:@websockets_port@\n"
            "frontend grpc\n bind 127.0.0.1:@grpc@ proto h2\n"
            " bind 127.0.0.1:@grpc_secure@ ssl crt @pem@ alpn h2\n default_backend calls\n"
            "backend calls\n server s 127.0.0.1:@grpcio_port@ proto h2\n"
            "frontend dead\n bind 127.0.0.1:@dead@\n default_backend nobody\n"
            "backend nobody\n server n 127.0.0.1:@other@\n"
            "frontend clients\n"
            " bind 127.0.0.1:@clients@ ssl crt @pem@ verify required ca-file @ca@\n"
            " default_backend pages\nbackend pages\n server s 127.0.0.1:@nginx_port@\n"
        },
        command="@program@ -db -f @dir@/conf",
    ),
    _squid("squid", "allow all", _PROXY),
    # It says 403 to whoever asks.
    _squid("squid that lets nobody in", "deny all", _PLAIN),
    Server(
        name="varnish",
        source="debian varnish",
        program=("varnishd",),
        needs=(_NGINX,),
        ports=(_PLAIN,),
        command="@program@ -F -j none -n @dir@/work -a 127.0.0.1:@port@ -b 127.0.0.1:@nginx_port@ "
        "-s malloc,16m -T none",
    ),
    Server(
        name="tinyproxy",
        source="debian tinyproxy",
        program=("tinyproxy",),
        ports=(_PROXY,),
        files={"conf": "Port @port@\nListen 127.0.0.1\nTimeout 5\nMaxClients 50\n"},
        command="@program@ -d -c @dir@/conf",
    ),
    Server(
        name="privoxy",
        source="debian privoxy",
        program=("privoxy",),
        ports=(_PROXY,),
        files={"conf": "listen-address 127.0.0.1:@port@\nconfdir /etc/privoxy\nlogdir @dir@\n"},
        command="@program@ --no-daemon --pidfile @dir@/pid @dir@/conf",
    ),
    Server(
        name="dante",
        source="debian dante-server",
        program=("danted",),
        ports=(Port("port"),),
        files={
            "conf": "logoutput: stderr\ninternal: 127.0.0.1 port = @port@\n"
            "external: 127.0.0.1\nclientmethod: none\nsocksmethod: none\nuser.privileged: root\n"
            "user.unprivileged: nobody\n"
            "client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }\n"
        },
        command="@program@ -f @dir@/conf -p @dir@/pid -N 1",
    ),
    Server(
        name="tor",
        source="debian tor",
        program=("tor",),
        # Its only way into a network is a bridge on loopback, where nobody is. To HTTP its SOCKS
        # port says 501 "Tor is not an HTTP Proxy".
        ports=(Port("port", "http"),),
        command="@program@ --SocksPort 127.0.0.1:@port@ --DataDirectory @dir@/data "
        "--UseBridges 1 --Bridge 127.0.0.1:@other@ -f @dir@/none --ignore-missing-torrc "
        "--Log 'notice stderr'",
    ),
    Server(
        name="stunnel",
        source="debian stunnel4",
        program=("stunnel4", "usr/bin/stunnel"),
        needs=(_NGINX,),
        ports=(
            _SECURE,
            Port("dead", "tls"),
            _CLIENTS,
        ),
        files={
            "conf": "foreground = yes\npid =\n[clients]\naccept = 127.0.0.1:@clients@\n"
            "connect = 127.0.0.1:@nginx_port@\ncert = @pem@\nCAfile = @ca@\nverifyChain = yes\n"
            "requireCert = yes\n[web]\naccept = 127.0.0.1:@secure@\n"
            "connect = 127.0.0.1:@nginx_port@\ncert = @pem@\n"
            "[dead]\naccept = 127.0.0.1:@dead@\nconnect = 127.0.0.1:@other@\ncert = @pem@\n"
        },
        command="@program@ @dir@/conf",
    ),
    Server(
        name="icecast",
        source="debian icecast2",
        program=("icecast2",),
        user="nobody",
        ports=(_PLAIN,),
        files={
            "icecast.xml": "<icecast><limits><clients>100</clients></limits><authentication>"
            "<source-password>x</source-password><admin-user>admin</admin-user>"
            "<admin-password>x</admin-password></authentication>"
            "<hostname>localhost</hostname><listen-socket><port>@port@</port>"
            "<bind-address>127.0.0.1</bind-address></listen-socket>"
            "<paths><basedir>/usr/share/icecast2</basedir><logdir>@dir@</logdir>"
            "<webroot>/usr/share/icecast2/web</webroot>"
            "<adminroot>/usr/share/icecast2/admin</adminroot></paths></icecast>\n"
        },
        command="@program@ -c @dir@/icecast.xml",
    ),
    Server(
        name="node exporter",
        source="debian prometheus-node-exporter",
        program=("prometheus-node-exporter",),
        ports=(_PLAIN,),
        command="@program@ --web.listen-address=127.0.0.1:@port@ --collector.disable-defaults",
    ),
)
