"""Mail: SMTP, submission, LMTP, IMAP, POP3, ManageSieve."""

from typing import Final

from tests.wide.server import Port, Server

_SMTP: Final = "smtp smtp/starttls"
_SMTPS: Final = "smtp/implicit tls"
_IMAP: Final = "imap imap/starttls"
_POP3: Final = "pop3 pop3/starttls"


def _postfix_service(port: str, *options: str) -> str:
    lines = "".join(f"\n  -o {option}" for option in options)
    return f"127.0.0.1:@{port}@ inet n - n - - smtpd{lines}\n"


def _courier(name: str, port: str, program: str, *arguments: str, starttls: str = "") -> Server:
    """One of Courier's services behind its own couriertcpd."""
    lib = "@root@/usr/lib/courier"
    return Server(
        name=name,
        source=f"unpacked courier courier-{'mta' if port == 'smtp' else port.rstrip('3')}",
        program=("couriertcpd",),
        ports=(Port("port", f"{port} {starttls}".strip()),),
        env={
            "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS",
            "IMAP_TLS_REQUIRED": "0",
            "AUTHMODULES": "authdaemon",
            "MAILDIRPATH": "Maildir",
            "PREFIX": "@root@/usr",
            "ESMTP_USE_STARTTLS": "0",
        },
        command=f"@program@ -address=127.0.0.1 -maxprocs=80 -maxperip=80 -nodnslookup "
        f"-noidentlookup @port@ {lib}/{program} {' '.join(arguments)}",
    )


SERVERS: Final = (
    Server(
        name="postfix",
        source="debian postfix",
        program=("postfix",),
        ports=(Port("smtp", _SMTP), Port("smtps", _SMTPS), Port("plain", "smtp")),
        files={
            "etc/main.cf": "compatibility_level = 3.6\nqueue_directory = @dir@/queue\n"
            "data_directory = @dir@/data\nmaillog_file = /dev/stdout\n"
            "maillog_file_prefixes = /dev\ninet_interfaces = 127.0.0.1\n"
            "myhostname = mx.example.com\nsmtpd_peername_lookup = no\nalias_maps =\n"
            "alias_database =\nsmtpd_tls_cert_file = @cert@\nsmtpd_tls_key_file = @key@\n",
            "etc/master.cf": _postfix_service("smtp", "smtpd_tls_security_level=may")
            + _postfix_service("smtps", "smtpd_tls_wrappermode=yes")
            + _postfix_service("plain")
            + "postlog unix-dgram n - n - 1 postlogd\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n"
            "rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n"
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\nbounce unix - - n - 0 bounce\n",
        },
        before=("mkdir data queue", "chown postfix data"),
        # Its master leads a session of its own, and ends when told to.
        command='sh -c \'trap "@program@ -c @dir@/etc abort; exit" TERM; '
        "@program@ -c @dir@/etc start-fg & wait'",
    ),
    Server(
        name="exim",
        source="unpacked exim exim4-daemon-light",
        program=("exim4",),
        ports=(Port("smtp", _SMTP), Port("smtps", _SMTPS)),
        files={
            "exim.conf": "primary_hostname = mx.example.com\nspool_directory = @dir@/spool\n"
            "log_file_path = @dir@/%slog\nlocal_interfaces = 127.0.0.1\n"
            "daemon_smtp_ports = @smtp@ : @smtps@\ntls_on_connect_ports = @smtps@\n"
            "tls_advertise_hosts = *\ntls_certificate = @cert@\ntls_privatekey = @key@\n"
            "smtp_accept_max = 100\nsmtp_accept_queue = 100\nexim_user = mail\n"
            "exim_group = mail\nhost_lookup =\n"
        },
        before=(
            "mkdir spool",
            "chmod 644 cert.pem",
            "chgrp mail key.pem",
            "chmod 640 key.pem",
            "chown mail:mail spool .",
        ),
        command="@program@ -C @dir@/exim.conf -bdf -oX '@smtp@ : @smtps@' -oP @dir@/pid",
    ),
    Server(
        name="dovecot",
        source="debian dovecot-imapd",
        program=("dovecot",),
        ports=(
            Port("imap", _IMAP),
            Port("imaps", "imap/implicit tls"),
            Port("pop3", _POP3),
            Port("pop3s", "pop3/implicit tls"),
            Port("submission", _SMTP),
            Port("lmtp"),
            Port("sieve", "tcp/sieve"),
        ),
        files={
            "dovecot.conf": "base_dir = @dir@/run\nstate_dir = @dir@/state\n"
            "log_path = /dev/stderr\nprotocols = imap pop3 submission lmtp sieve\n"
            "mail_location = maildir:~/mail\nssl = yes\nssl_cert = <@cert@\nssl_key = <@key@\n"
            "hostname = mx.example.com\n"
            "passdb {\n driver = static\n args = nopassword=y\n}\n"
            "userdb {\n driver = static\n args = uid=65534 gid=65534 home=/nonexistent\n}\n"
            + "".join(
                f"service {login} {{\n chroot =\n"
                + "".join(
                    f" inet_listener {name} {{\n  address = 127.0.0.1\n  port = @{name}@\n"
                    + ("  ssl = yes\n" if name.endswith("s") else "")
                    + " }\n"
                    for name in names
                )
                + "}\n"
                for login, names in (
                    ("imap-login", ("imap", "imaps")),
                    ("pop3-login", ("pop3", "pop3s")),
                    ("submission-login", ("submission",)),
                    ("managesieve-login", ("sieve",)),
                )
            )
            + "service lmtp {\n inet_listener lmtp {\n  address = 127.0.0.1\n  port = @lmtp@\n }\n"
            "}\nservice imap-login {\n inet_listener imap {\n port = @imap@\n }\n}\n"
        },
        command="@program@ -F -c @dir@/dovecot.conf",
    ),
    _courier("courier imap", "imap", "courier/imaplogin", "/bin/true", "Maildir"),
    _courier("courier pop3", "pop3", "courier/courierpop3login", "/bin/true", "Maildir"),
    _courier("courier smtp", "smtp", "courier/modules/esmtp/courieresmtpd"),
)
