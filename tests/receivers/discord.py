"""Discord's webhooks.

Sources: docs.discord.com/developers/resources/webhook ("Execute Webhook": `content` up to 2000
characters, up to 10 embeds), …/resources/message ("Embed limits", "Allowed mentions"),
…/topics/rate-limits (429 with `retry_after` in s, a float), …/topics/opcodes-and-status-codes.
"""

import json
import re
from email import message_from_bytes
from typing import Any, Final

from tests.receivers.http_receiver import HttpReceiver, Reply, Request

_LONGEST: Final = 2_000
_EMBEDS: Final = 10
_EMBED_TOTAL: Final = 6_000
_EMBED_LONGEST: Final = {"title": 256, "description": 4_096}
_PATH: Final = re.compile(r"/api(?:/v\d+)?/webhooks/(\d+|[A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)")
_EVERYONE: Final = re.compile(r"@(everyone|here)")
_ROLE: Final = re.compile(r"<@&(\d+)>")
_USER: Final = re.compile(r"<@!?(\d+)>")


class Discord(HttpReceiver):
    """`https://discord.com/api/webhooks/ID/TOKEN`: 204, with `?wait=true` 200 and the message."""

    host = "discord.com"

    def judge(self, request: Request) -> Reply:
        if request.method != "POST" or not _PATH.fullmatch(request.path):
            return Reply(
                status=404, body={"message": "Unknown Webhook", "code": 10015}, problem="404"
            )
        fields = _fields(request)
        if not isinstance(fields, dict):
            return _invalid({"_errors": [{"code": "INVALID_JSON", "message": "not JSON"}]}, 50109)
        errors = _errors(fields)
        if errors:
            return _invalid(errors)
        content = fields.get("content") or ""
        embeds = fields.get("embeds") or []
        if not content.strip() and not embeds:
            said = "Cannot send an empty message"
            return Reply(status=400, body={"message": said, "code": 50006}, problem=said)
        texts = [content]
        for embed in embeds:
            texts += [embed.get("title") or "", embed.get("description") or ""]
            texts += [f"{f.get('name')}: {f.get('value')}" for f in embed.get("fields") or []]
        mentions = pinged(content, fields.get("allowed_mentions"))
        text = "\n".join(text for text in texts if text)
        if request.query.get("wait") == "true":
            return Reply(body={"id": "1", "content": content}, text=text, mentions=mentions)
        return Reply(status=204, text=text, mentions=mentions)

    def too_many(self, retry_after_s: float) -> Reply:
        said = "You are being rate limited."
        body = {"message": said, "retry_after": retry_after_s, "global": False}
        headers = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0"}
        headers["X-RateLimit-Reset-After"] = str(retry_after_s)
        return Reply(status=429, body=body, headers=headers, problem=said)

    def too_long(self) -> Reply:
        return _invalid(_too_long("content", _LONGEST))


def pinged(content: str, allowed: Any) -> tuple[str, ...]:
    """Who is pinged by a content; embeds ping nobody. Without `allowed_mentions`, everybody."""
    kinds = {"everyone", "roles", "users"}
    roles: set[str] | None = None
    users: set[str] | None = None
    if isinstance(allowed, dict):
        kinds = set(allowed.get("parse") or ())
        roles = set(map(str, allowed.get("roles") or ()))
        users = set(map(str, allowed.get("users") or ()))
    found = [f"@{word}" for word in _EVERYONE.findall(content) if "everyone" in kinds]
    found += [
        f"<@&{role}>"
        for role in _ROLE.findall(content)
        if "roles" in kinds or (roles is not None and role in roles)
    ]
    found += [
        f"<@{user}>"
        for user in _USER.findall(content)
        if "users" in kinds or (users is not None and user in users)
    ]
    return tuple(found)


def _fields(request: Request) -> Any:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return request.json()
    whole = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body)
    for part in whole.walk():
        if part.get_param("name", header="content-disposition") == "payload_json":
            found = part.get_payload(decode=True)
            try:
                return json.loads(found) if isinstance(found, bytes) else None
            except ValueError:
                return None
    return None


def _errors(fields: dict[str, Any]) -> dict[str, Any]:
    content, embeds = fields.get("content"), fields.get("embeds") or []
    if content is not None and not isinstance(content, str):
        return {"content": {"_errors": [{"code": "STRING_TYPE_CONVERT", "message": "no string"}]}}
    if content is not None and len(content) > _LONGEST:
        return _too_long("content", _LONGEST)
    if not isinstance(embeds, list) or len(embeds) > _EMBEDS:
        return _too_long("embeds", _EMBEDS)
    total = 0
    for embed in embeds:
        if not isinstance(embed, dict):
            return {"embeds": {"_errors": [{"code": "MODEL_TYPE_CONVERT", "message": "no embed"}]}}
        for name, longest in _EMBED_LONGEST.items():
            said = embed.get(name) or ""
            if len(said) > longest:
                return _too_long(name, longest)
            total += len(said)
        fields_of = embed.get("fields") or []
        if len(fields_of) > 25:
            return _too_long("fields", 25)
        for field in fields_of:
            name, value = str(field.get("name", "")), str(field.get("value", ""))
            if not 1 <= len(name) <= 256 or not 1 <= len(value) <= 1_024:
                return _too_long("value", 1_024)
            total += len(name) + len(value)
        total += len((embed.get("footer") or {}).get("text") or "")
    return _too_long("embeds", _EMBED_TOTAL) if total > _EMBED_TOTAL else {}


def _too_long(name: str, longest: int) -> dict[str, Any]:
    said = f"Must be {longest} or fewer in length."
    return {name: {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": said}]}}


def _invalid(errors: dict[str, Any], code: int = 50035) -> Reply:
    body = {"message": "Invalid Form Body", "code": code, "errors": errors}
    return Reply(status=400, body=body, problem=f"Invalid Form Body: {errors}")
