"""nginx, Apache and squid for the requests of `http`: what they have got is in their answers."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.servers import folder, free_port, program, running

USER, PASSWORD = "someone", "open sesame: ü"
TOKEN = "token-4711-abcdef"  # noqa: S105  (of a server of ours)

_GOT = (
    "$request_method [$http_x_token] [$http_cookie] [$content_length] "
    "[$http_authorization] [$http_content_type]"
)
_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  map $http_authorization $named {{ "Bearer {token}" 200; default 401; }}
  log_format told '$request_method $host $uri "$http_x_token" "$http_authorization" '
    '"$content_length" "$http_cookie"';
  access_log {folder}/told told;
  server {{
    listen 127.0.0.1:{port}; server_name _;
    location / {{ return 200 "{got} at $request_uri"; }}
    location /bearer {{ if ($named = 401) {{ return 401 "who are you?"; }} return 200 "welcome"; }}
    location /same/301 {{ return 301 /end; }}
    location /same/302 {{ return 302 /end; }}
    location /same/303 {{ return 303 /end; }}
    location /same/307 {{ return 307 /end; }}
    location /same/308 {{ return 308 /end; }}
    location /away/302 {{ return 302 http://localhost:{port}/end; }}
    location /away/307 {{ return 307 http://localhost:{port}/end; }}
    location /away/and/back {{ return 302 http://localhost:{port}/back; }}
    location /back {{ return 302 http://127.0.0.1:{port}/end; }}
    location /login {{ add_header Set-Cookie "session=abc; Path=/; HttpOnly" always;
      return 302 /private; }}
    location /private {{ if ($cookie_session != abc) {{ return 302 /login; }}
      return 200 "welcome back [$http_cookie]"; }}
    location /stranger {{ add_header Set-Cookie "stolen=1; Domain=localhost; Path=/" always;
      add_header Set-Cookie "own=2; Path=/; Secure" always; return 302 /end; }}
    location /passed {{ add_header Set-Cookie "session=abc; Path=/" always;
      return 302 http://localhost:{port}/end; }}
  }}
  server {{
    listen 127.0.0.1:{tls} ssl; server_name localhost;
    ssl_certificate {pair.good.certificate}; ssl_certificate_key {pair.good.key};
    location / {{ return 200 "$request_method [$http_authorization] of $ssl_server_name"; }}
  }}
  server {{
    listen 127.0.0.1:{tls} ssl; server_name other.example.com;
    ssl_certificate {pair.other.certificate}; ssl_certificate_key {pair.other.key};
    location / {{ return 200 "the other of $ssl_server_name"; }}
  }}
}}
"""

_APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
DefaultRuntimeDir {folder}
Mutex file:{folder} default
ServerName localhost
Listen 127.0.0.1:{port}
{modules}
{user}
DocumentRoot {folder}/htdocs
DavLockDB {folder}/locks
AddDefaultCharset off
<Directory {folder}/htdocs>
  Require all granted
</Directory>
<Location /reflect>
  SetHandler reflector
  ReflectorHeader Content-Type X-Got-Type
  ReflectorHeader Content-Length X-Got-Length
</Location>
<Location /packed>
  SetHandler reflector
  SetOutputFilter BROTLI_COMPRESS
</Location>
<Location /dav>
  Dav On
</Location>
<Location /basic>
  AuthType Basic
  AuthName "for some"
  AuthUserFile {folder}/users
  Require valid-user
</Location>
Redirect 307 /moved/307 http://127.0.0.1:{port}/reflect
Redirect 308 /moved/308 http://127.0.0.1:{port}/reflect
"""
_MODULES = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "alias"),
    *("dav", "dav_fs", "dav_lock", "reflector", "brotli", "filter"),
)

_SQUID = """
http_port 127.0.0.1:{port}
http_port 127.0.0.1:{guarded}
auth_param basic program {ncsa} {folder}/users
auth_param basic utf8 on
acl users proxy_auth REQUIRED
acl open localport {port}
http_access allow open
http_access allow users
http_access deny all
cache deny all
pid_filename {folder}/pid
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
coredump_dir {folder}
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 1 seconds
forward_max_tries 1
visible_hostname proxy.test
error_default_language en
dns_nameservers 127.0.0.1
{user}
"""


_CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  encode zstd
  header Content-Type text/plain
  respond "{text}"
}}
"""


class Web(msgspec.Struct, frozen=True):
    """nginx: its ports, and the file in which it notes what it has got."""

    port: int
    tls: int
    told: Path


class Squid(msgspec.Struct, frozen=True):
    """A proxy for anybody, and one that wants a user; its log."""

    port: int
    guarded: int
    log: Path


@contextlib.contextmanager
def nginx(pair: Certificates) -> Iterator[Web]:
    command, port, tls = program("nginx"), free_port(), free_port()
    with folder("www-data") as home:
        text = _NGINX.format(folder=home, port=port, tls=tls, pair=pair, token=TOKEN, got=_GOT)
        (home / "nginx.conf").write_text(text)
        with running([command, "-c", str(home / "nginx.conf"), "-p", str(home)], tls, home / "log"):
            yield Web(port, tls, home / "told")


@contextlib.contextmanager
def apache() -> Iterator[int]:
    """The port of an Apache that knows WebDAV, a user, and gives back what it gets."""
    command, port = program("apache2"), free_port()
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES
    )
    with folder("www-data") as home:
        (home / "htdocs" / "dav").mkdir(parents=True)
        (home / "htdocs" / "basic").write_text("come in")
        for path in (home / "htdocs", home / "htdocs" / "dav"):
            path.chmod(0o777)
        _users(home)
        (home / "httpd.conf").write_text(
            _APACHE.format(folder=home, port=port, modules=modules, user="User www-data")
        )
        words = [command, "-f", str(home / "httpd.conf"), "-DFOREGROUND"]
        with running(words, port, home / "log"):
            yield port


@contextlib.contextmanager
def caddy(text: str) -> Iterator[int]:
    """The port of a Caddy that answers with `text`, as zstd to those who take it."""
    command, port = program("caddy"), free_port()
    with folder() as home:
        (home / "Caddyfile").write_text(_CADDY.format(port=port, text=text))
        words = [command, "run", "--adapter", "caddyfile", "--config", str(home / "Caddyfile")]
        env = {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        with running(words, port, home / "log", env=env):
            yield port


@contextlib.contextmanager
def squid() -> Iterator[Squid]:
    command, port, guarded = program("squid"), free_port(), free_port()
    ncsa = program("basic_ncsa_auth", "/usr/lib/squid/basic_ncsa_auth")
    with folder("proxy") as home:
        _users(home)
        text = _SQUID.format(folder=home, port=port, guarded=guarded, ncsa=ncsa, user="")
        (home / "squid.conf").write_text(text)
        words = [command, "-N", "-f", str(home / "squid.conf")]
        with running(words, guarded, home / "log"):
            yield Squid(port, guarded, home / "access.log")


def _users(home: Path) -> None:
    command = [program("openssl"), "passwd", "-apr1", "-stdin"]
    made = subprocess.run(command, input=PASSWORD.encode(), capture_output=True, check=True)
    (home / "users").write_text(f"{USER}:{made.stdout.decode().strip()}\n")
    (home / "users").chmod(0o644)
