"""RDAP answers: the shapes of RFC 9083, of registries under ICANN's profile, of others."""

import datetime as dt
import json
from typing import Any

_NOTICES = [
    {
        "title": "Terms of Service",
        "description": ["Service subject to Terms of Use."],
        "links": [{"href": "https://registry.example/terms", "type": "text/html"}],
    },
    {
        "title": "Status Codes",
        "description": ["For more information on domain status codes, please visit icann.org/epp"],
    },
]


def at(days: float) -> str:
    """The date so many days from now, as most registries write it."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def registry(name: str, days: float | None, **changes: Any) -> dict[str, Any]:
    """A registry of a gTLD: capital letters, its registrar, a link to the registrar's server."""
    url = f"https://rdap.registry.example/com/v1/domain/{name.upper()}"
    events = [
        {"eventAction": "registration", "eventDate": "1997-09-15T04:00:00Z"},
        {"eventAction": "last changed", "eventDate": "2026-08-14T07:01:38Z"},
        {"eventAction": "last update of RDAP database", "eventDate": at(0)},
    ]
    if days is not None:
        events.insert(1, {"eventAction": "expiration", "eventDate": at(days)})
    return {
        "objectClassName": "domain",
        "handle": "2336799_DOMAIN_COM-EXMP",
        "ldhName": name.upper(),
        "links": [
            {"value": url, "rel": "self", "href": url, "type": "application/rdap+json"},
        ],
        "status": ["client delete prohibited", "client transfer prohibited"],
        "entities": [
            {
                "objectClassName": "entity",
                "handle": "9999",
                "roles": ["registrar"],
                "publicIds": [{"type": "IANA Registrar ID", "identifier": "9999"}],
                "vcardArray": [
                    "vcard",
                    [
                        ["version", {}, "text", "4.0"],
                        ["fn", {}, "text", "Example Registrar, Inc."],
                    ],
                ],
                "entities": [
                    {
                        "objectClassName": "entity",
                        "roles": ["abuse"],
                        "vcardArray": [
                            "vcard",
                            [
                                ["version", {}, "text", "4.0"],
                                ["fn", {}, "text", ""],
                                ["tel", {"type": "voice"}, "uri", "tel:+1.5555550100"],
                            ],
                        ],
                    }
                ],
            }
        ],
        "events": events,
        "secureDNS": {"delegationSigned": False},
        "nameservers": [{"objectClassName": "nameserver", "ldhName": "NS1.EXAMPLE.NET"}],
        "rdapConformance": [
            "rdap_level_0",
            "icann_rdap_technical_implementation_guide_0",
            "icann_rdap_response_profile_0",
        ],
        "notices": _NOTICES,
    } | changes


def of_the_rfc(name: str, days: float) -> dict[str, Any]:
    """RFC 9083, section 5.3: variants, keys, remarks and all that registries seldom have."""
    return {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "handle": "XXXX",
        "ldhName": name,
        "unicodeName": name,
        "variants": [
            {
                "relation": ["registered", "conjoined"],
                "variantNames": [{"ldhName": "xn--fo-cka.example", "unicodeName": "fõo.example"}],
            },
            {
                "relation": ["unregistered", "registration restricted"],
                "idnTable": ".EXAMPLE Swedish",
                "variantNames": [{"ldhName": "xn--fo-8ja.example", "unicodeName": "fôo.example"}],
            },
        ],
        "status": ["locked", "transfer prohibited"],
        "publicIds": [{"type": "ENS_Auth ID", "identifier": "1234567890"}],
        "nameservers": [
            {
                "objectClassName": "nameserver",
                "handle": "XXXX",
                "ldhName": "ns1.example.com",
                "status": ["active"],
                "ipAddresses": {"v6": ["2001:db8::123"], "v4": ["192.0.2.1"]},
                "events": [
                    {"eventAction": "last changed", "eventDate": "1991-12-31T23:59:59Z"},
                    {"eventAction": "expiration", "eventDate": "1992-12-31T23:59:59Z"},
                ],
            }
        ],
        "secureDNS": {
            "zoneSigned": True,
            "delegationSigned": True,
            "maxSigLife": 604_800,
            "keyData": [{"flags": 257, "protocol": 3, "algorithm": 8, "publicKey": "AwEAAa6eDz"}],
        },
        "remarks": [{"description": ["She sells sea shells down by the sea shore."]}],
        "events": [
            {"eventAction": "registration", "eventDate": "1990-12-31T23:59:59Z"},
            {
                "eventAction": "last changed",
                "eventDate": "1991-12-31T23:59:59Z",
                "eventActor": "joe@example.com",
            },
            {
                "eventAction": "transfer",
                "eventDate": "1991-12-31T23:59:59Z",
                "links": [{"value": "https://example.net/x", "rel": "about", "href": "https://e"}],
            },
            {"eventAction": "expiration", "eventDate": at(days), "eventActor": "joe@example.com"},
        ],
        "entities": [
            {
                "objectClassName": "entity",
                "handle": "XXXX",
                "status": ["validated", "locked"],
                "roles": ["registrant"],
                "vcardArray": ["vcard", [["fn", {}, "text", "Joe User"]]],
            }
        ],
    }


def error(code: int | str, title: str, *description: str) -> dict[str, Any]:
    """RFC 9083, section 6."""
    return {
        "rdapConformance": ["rdap_level_0"],
        "errorCode": code,
        "title": title,
        "description": list(description),
        "notices": _NOTICES,
    }


def as_body(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode()


def services(*entries: tuple[list[str], list[str]]) -> bytes:
    """IANA's list (RFC 9224, section 4)."""
    return json.dumps(
        {
            "description": "RDAP bootstrap file for Domain Name System registrations",
            "publication": "2026-11-24T22:00:02Z",
            "services": [list(entry) for entry in entries],
            "version": "1.0",
        }
    ).encode()
