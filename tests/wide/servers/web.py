"""Web servers and proxies."""

from typing import Final

from tests.wide.server import Port, Server

_PLAIN: Final = Port("port", "http")
_SECURE: Final = Port("secure", "http/tls tls")
# They say in plain HTTP that the port wants HTTPS: 400 is an answer in HTTP.
_SECURE_AND_SAYS_SO: Final = Port("secure", "http http/tls tls")
_PAGE: Final = {"page/index.html": "here\n"}

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

SERVERS: Final = (
    _NGINX,
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
        name="squid",
        source="debian squid",
        program=("squid",),
        user="proxy",
        ports=(_PLAIN,),
        files={
            "conf": "http_port 127.0.0.1:@port@\npid_filename @dir@/pid\ncache deny all\n"
            "cache_log @dir@/cache.log\naccess_log none\ncoredump_dir @dir@\n"
            "shutdown_lifetime 0 seconds\npinger_enable off\nmax_filedescriptors 1024\n"
            "visible_hostname localhost\n"
        },
        command="@program@ -N -f @dir@/conf -n pq@port@",
    ),
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
        ports=(_PLAIN,),
        files={"conf": "Port @port@\nListen 127.0.0.1\nTimeout 5\nMaxClients 50\n"},
        command="@program@ -d -c @dir@/conf",
    ),
    Server(
        name="privoxy",
        source="debian privoxy",
        program=("privoxy",),
        ports=(_PLAIN,),
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
        ports=(_SECURE, Port("dead", "tls")),
        files={
            "conf": "foreground = yes\npid =\n[web]\naccept = 127.0.0.1:@secure@\n"
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
