"""Mattermost's incoming webhooks.

Sources: developers.mattermost.com/integrate/webhooks/incoming, mattermost's
server/channels/app/webhook.go. A post holds 16,383 characters, a longer `text` becomes several
posts; `no_text` is 400. `@all`, `@channel`, `@here` and `@name` ping.
"""

import re
from typing import Final

from tests.receivers.http_receiver import HttpReceiver, Reply, Request

_LONGEST_POST: Final = 16_383
_PATH: Final = re.compile(r"(?:/[\w.-]+)*/hooks/[A-Za-z0-9]{3,}")
_MENTION: Final = re.compile(r"(?<![\w@./])@[a-z0-9][a-z0-9._-]*", re.IGNORECASE)


class Mattermost(HttpReceiver):
    """`http://127.0.0.1:PORT/hooks/TOKEN`, in Apprise `mmost://127.0.0.1:PORT/TOKEN`."""

    def judge(self, request: Request) -> Reply:
        if request.method != "POST" or not _PATH.fullmatch(request.path):
            return _no(404, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
        fields = request.json()
        if not isinstance(fields, dict):
            return _no(
                400, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data."
            )
        texts = [fields.get("text") or ""]
        for attachment in fields.get("attachments") or []:
            if not isinstance(attachment, dict):
                return _no(400, "web.incoming_webhook.parse.app_error", "Unable to parse it.")
            texts += [attachment.get(name) or "" for name in ("pretext", "title", "text")]
        if not any(str(text).strip() for text in texts):
            return _no(400, "web.incoming_webhook.text.app_error", "No text specified.")
        if not all(isinstance(text, str) for text in texts):
            return _no(
                400, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data."
            )
        text = "\n".join(text for text in texts if text)
        return Reply(body="ok", text=text, mentions=tuple(_MENTION.findall(text)))

    def posts(self) -> list[str]:
        """The posts in the channel: longer texts are several."""
        return [
            text[begin : begin + _LONGEST_POST]
            for text in self.texts
            for begin in range(0, len(text), _LONGEST_POST)
        ]

    def too_long(self) -> Reply:
        return _no(400, "model.post.is_valid.message_length.app_error", "Post Message too long.")

    def too_many(self, retry_after_s: float) -> Reply:  # noqa: ARG002 - said in the header alone
        headers = {"X-RateLimit-Limit": "101", "X-RateLimit-Remaining": "0"}
        return Reply(status=429, body="limit exceeded\n", headers=headers, problem="limit exceeded")


def _no(status: int, name: str, said: str) -> Reply:
    body = {"id": name, "message": said, "detailed_error": "", "status_code": status}
    return Reply(status=status, body=body, problem=said)
