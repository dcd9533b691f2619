"""FTP, SSH, rsync, git."""

from typing import Final

from tests.wide.server import Port, Server

_KEYS: Final = ("ssh-keygen -q -t ed25519 -N '' -f host_key",)

SERVERS: Final = (
    Server(
        name="vsftpd",
        source="debian vsftpd",
        program=("vsftpd",),
        ports=(Port("port", "ftp ftp/starttls"),),
        files={
            "conf": "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port=@port@\n"
            "background=NO\nanonymous_enable=YES\nlocal_enable=NO\nseccomp_sandbox=NO\n"
            "secure_chroot_dir=@dir@/empty\nvsftpd_log_file=@dir@/transfers\nssl_enable=YES\n"
            "rsa_cert_file=@cert@\nrsa_private_key_file=@key@\n"
        },
        before=("mkdir empty",),
        command="@program@ @dir@/conf",
    ),
    Server(
        name="vsftpd, implicit TLS",
        source="debian vsftpd",
        program=("vsftpd",),
        ports=(Port("port", "ftp/implicit tls"),),
        files={
            "conf": "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port=@port@\n"
            "background=NO\nanonymous_enable=YES\nlocal_enable=NO\nseccomp_sandbox=NO\n"
            "secure_chroot_dir=@dir@/empty\nvsftpd_log_file=@dir@/transfers\nssl_enable=YES\n"
            "implicit_ssl=YES\nrsa_cert_file=@cert@\nrsa_private_key_file=@key@\n"
        },
        before=("mkdir empty",),
        command="@program@ @dir@/conf",
    ),
    Server(
        name="proftpd",
        source="unpacked proftpd proftpd-core",
        program=("proftpd",),
        ports=(Port("port", "ftp ftp/starttls"),),
        files={
            "conf": "ModulePath @root@/usr/lib/proftpd\nServerType standalone\nPort @port@\n"
            "DefaultAddress 127.0.0.1\nSocketBindTight on\nUseIPv6 off\nUser nobody\n"
            "Group nogroup\nUseReverseDNS off\nPidFile @dir@/pid\nScoreboardFile @dir@/board\n"
            "DelayEngine off\nWtmpLog off\nTransferLog none\nMaxInstances 60\n"
            "ServerIdent on Files\nLoadModule mod_tls.c\nTLSEngine on\nTLSLog @dir@/tls.log\n"
            "TLSRSACertificateFile @cert@\nTLSRSACertificateKeyFile @key@\n"
        },
        command="@program@ -n -c @dir@/conf",
    ),
    Server(
        name="proftpd, sftp",
        source="unpacked proftpd proftpd-core",
        program=("proftpd",),
        ports=(Port("port", "ssh"),),
        files={
            "conf": "ModulePath @root@/usr/lib/proftpd\nServerType standalone\nPort @port@\n"
            "DefaultAddress 127.0.0.1\nSocketBindTight on\nUseIPv6 off\nUser nobody\n"
            "Group nogroup\nUseReverseDNS off\nPidFile @dir@/pid\nScoreboardFile @dir@/board\n"
            "DelayEngine off\nWtmpLog off\nTransferLog none\nMaxInstances 60\n"
            "LoadModule mod_sftp.c\nSFTPEngine on\nSFTPHostKey @dir@/host_key\n"
        },
        before=("ssh-keygen -q -t rsa -m PEM -N '' -f host_key",),
        command="@program@ -n -c @dir@/conf",
    ),
    Server(
        name="pure-ftpd",
        source="unpacked pure-ftpd pure-ftpd",
        program=("pure-ftpd",),
        ports=(Port("port", "ftp ftp/starttls"),),
        command="@program@ -S 127.0.0.1,@port@ -c 100 -C 100 -Y 1 -2 @pem@ -H -E -g @dir@/pid",
    ),
    Server(
        name="inetutils ftpd",
        source="unpacked inetutils inetutils-ftpd",
        program=("ftpd",),
        ports=(Port("port", "ftp"),),
        command="tcpserver -HRl localhost 127.0.0.1 @port@ @program@",
    ),
    Server(
        name="openssh",
        source="debian openssh-server",
        program=("sshd",),
        ports=(Port("port", "ssh"),),
        before=("mkdir -p /run/sshd", *_KEYS),
        command="@program@ -D -e -f /dev/null -oPort=@port@ -oListenAddress=127.0.0.1 "
        "-oHostKey=@dir@/host_key -oPidFile=none -oMaxStartups=100",
    ),
    Server(
        name="dropbear",
        source="debian dropbear-bin",
        program=("dropbear",),
        ports=(Port("port", "ssh"),),
        before=("dropbearkey -t ed25519 -f key",),
        command="@program@ -F -E -r @dir@/key -p 127.0.0.1:@port@ -P @dir@/pid",
    ),
    Server(
        name="tinyssh",
        source="debian tinysshd",
        program=("tinysshd",),
        ports=(Port("port", "ssh"),),
        before=("tinysshd-makekey -q keys",),
        command="tcpserver -HRl localhost 127.0.0.1 @port@ @program@ @dir@/keys",
    ),
    Server(
        name="rsync",
        source="debian rsync",
        program=("rsync",),
        ports=(Port("port"),),
        files={"conf": "use chroot = no\npid file = @dir@/pid\nlog file = @dir@/log\n"},
        command="@program@ --daemon --no-detach --config=@dir@/conf --port=@port@ "
        "--address=127.0.0.1",
    ),
    Server(
        name="git daemon",
        source="debian git",
        program=("git",),
        ports=(Port("port"),),
        command="@program@ daemon --listen=127.0.0.1 --port=@port@ --base-path=@dir@",
    ),
)
