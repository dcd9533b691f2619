"""The fields of a monitor of Uptime Kuma: their names in all spellings, and their usual values.

Backups and the API write `retryInterval`, the database `retry_interval`, and files of people either
of them; letters and digits alone tell them apart. The defaults are those of `monitorDefaults` in
src/pages/EditMonitor.vue and of the columns in db/knex_init_db.js (louislam/uptime-kuma).
"""

import re
from typing import Final

_OTHER_NAMES: Final = {
    "acceptedstatuscodesjson": "acceptedstatuscodes",
    "acceptedstatuses": "acceptedstatuscodes",
    "maxredirect": "maxredirects",
    "maxretry": "maxretries",
    "retries": "maxretries",
    "host": "hostname",
    "enabled": "active",
    "authpass": "basicauthpass",
    "basicauthpassword": "basicauthpass",
    "basicauthusername": "basicauthuser",
    "authuser": "basicauthuser",
    "parentid": "parent",
    "parentname": "parent",
    "group": "parent",
    "notificationids": "notificationidlist",
    "notificationnames": "notificationidlist",
    "notifications": "notificationidlist",
    "notificationnamelist": "notificationidlist",
    "tagnames": "tags",
    "dockerhostname": "dockerhost",
    "proxyname": "proxyid",
    "parentnamelist": "parent",
    "notificationlist": "notificationidlist",
    "proxy": "proxyid",
    "resolver": "dnsresolveserver",
    "mqttbroker": "hostname",
}

BOOKKEEPING: Final = frozenset(
    {
        *("id", "userid", "weight", "path", "pathname", "childrenids", "maintenance"),
        *("screenshot", "includesensitivedata", "dnslastresult", "createddate", "tagids", "user"),
        *("parentpath", "createdat", "updatedat", "slug", "status", "monitorid", "manualstatus"),
    }
)
"""What Uptime Kuma keeps about a monitor beside what is checked."""

USUAL: Final[dict[str, frozenset[str]]] = {
    "method": frozenset({"get"}),
    "maxredirects": frozenset({"10"}),
    "acceptedstatuscodes": frozenset({'["200-299"]', '["1000"]'}),
    "dnsresolvetype": frozenset({"a"}),
    "dnsresolveserver": frozenset({"1.1.1.1"}),
    "packetsize": frozenset({"56"}),
    "httpbodyencoding": frozenset({"json"}),
    "mqttchecktype": frozenset({"keyword"}),
    "jsonpathoperator": frozenset({"=="}),
    "jsonpath": frozenset({"$"}),
    "location": frozenset({"world"}),
    "oauthauthmethod": frozenset({"client_secret_basic"}),
    "gamediggivenportonly": frozenset({"true", "1"}),
    "kafkaproducersasloptions": frozenset({'{"mechanism": "none"}', '{"mechanism":"none"}'}),
    "responsemaxlength": frozenset({"1024", "10240"}),
    "saveerrorresponse": frozenset({"true", "1"}),
    "ntpstratumthreshold": frozenset({"5"}),
    "ntptimeoffsetthreshold": frozenset({"1000"}),
    "ntprootdispersionthreshold": frozenset({"500"}),
    "pingcount": frozenset({"1", "3"}),
    "pingnumeric": frozenset({"true", "1"}),
    "pingperrequesttimeout": frozenset({"2"}),
    "snmpversion": frozenset({"2c"}),
    "snmpoid": frozenset({"1.3.6.1.4.1.9.6.1.101"}),
    "url": frozenset({"https://", "http://"}),
    "port": frozenset({"53", "161", "1812", "80"}),
    "timeout": frozenset({"48"}),
    "resendinterval": frozenset({"0"}),
    "domainexpirynotification": frozenset({"true", "1"}),
    "expirynotification": frozenset({"true", "1"}),
    "protocol": frozenset({"none"}),
}
"""Values that a field has in monitors of all types, without anybody having written them."""

WHY: Final = {
    "resendinterval": "reminders are of a route: remind_every",
    "saveresponse": "answers are not kept",
    "saveerrorresponse": "of a failed check the beginning of the answer is in the result's detail",
    "responsemaxlength": "answers are not kept",
    "gamedigtoken": "no such protocol is spoken here",
    "retryonlyonstatuscodefailure": "every failure is tried again alike",
    "ipfamily": "addresses are tried in the order of RFC 6724, and the family can't be chosen",
    "packetsize": "the size of an echo request can't be chosen",
    "remotebrowser": "no browser opens the page",
    "screenshotdelay": "no browser opens the page",
    "wsignoresecwebsocketacceptheader": "the upgrade is judged as browsers judge it",
    "cachebust": "the URL is asked as it is",
}
"""Why a field without an equal is not used; for the others: it is of another type of monitor."""

KNOWN: Final = frozenset(
    {
        *("name", "type", "url", "hostname", "port", "method", "active", "parent", "tags"),
        *("maxretries", "interval", "retryinterval", "resendinterval", "timeout", "keyword"),
        *("invertkeyword", "expirynotification", "domainexpirynotification", "ignoretls"),
        *("upsidedown", "packetsize", "maxredirects", "acceptedstatuscodes", "forceinactive"),
        *("dnsresolvetype", "dnsresolveserver", "dockercontainer", "dockerhost", "proxyid"),
        *("notificationidlist", "mqtttopic", "mqttsuccessmessage", "mqttchecktype"),
        *("databasequery", "databaseconnectionstring", "authmethod", "grpcurl", "grpcprotobuf"),
        *("grpcmethod", "grpcservicename", "grpcenabletls", "grpcbody", "grpcmetadata"),
        *("radiuscalledstationid", "radiuscallingstationid", "radiususername", "radiuspassword"),
        *("radiussecret", "game", "gamediggivenportonly", "gamedigtoken", "httpbodyencoding"),
        *("jsonpath", "expectedvalue", "jsonpathoperator", "retryonlyonstatuscodefailure"),
        *("systemservicename", "kafkaproducertopic", "kafkaproducerbrokers", "kafkaproducerssl"),
        *("kafkaproducerallowautotopiccreation", "kafkaproducermessage"),
        *("kafkaproducersasloptions", "cachebust", "remotebrowser", "screenshotdelay"),
        *("snmpoid", "snmpversion", "snmpv3username", "smtpsecurity", "rabbitmqnodes"),
        *("rabbitmqusername", "rabbitmqpassword", "conditions", "ntpstratumthreshold"),
        *("ntptimeoffsetthreshold", "ntprootdispersionthreshold", "ipfamily", "location"),
        *("expectedtlsalert", "pingnumeric", "pingcount", "pingperrequesttimeout", "protocol"),
        *("saveresponse", "saveerrorresponse", "responsemaxlength", "subtype", "headers", "body"),
        *("basicauthuser", "basicauthpass", "oauthclientid", "oauthclientsecret"),
        *("oauthtokenurl", "oauthscopes", "oauthaudience", "oauthauthmethod", "bearertoken"),
        *("pushtoken", "mqttusername", "mqttpassword", "mqttwebsocketpath", "authworkstation"),
        *("authdomain", "tlsca", "tlscert", "tlskey", "description", "wssubprotocol"),
        *("wsignoresecwebsocketacceptheader", "customurl", "sendurl", "dockerhostname"),
    }
)
"""All fields that a monitor has (toJSON in server/model/monitor.js, and the older versions)."""

OF_ANOTHER_TYPE: Final = "this type of monitor does not use it, or portquorum has nothing like it"


def plain(name: str) -> str:
    """A field's name as it is looked up here: `retry_interval` and `retryInterval` are one."""
    bare = re.sub(r"[^a-z0-9]+", "", name.lower())
    return _OTHER_NAMES.get(bare, bare)
