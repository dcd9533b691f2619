"""Channels of other monitors: each provider's URL is one that can be used, without any secret."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.importing.channels import PROVIDERS, Channel, Refused, channel
from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets
from sinks.notifier.channels.classes import usable
from sinks.notifier.channels.problem import problem
from sinks.notifier.secrets import placeholders

PLACE = Place("config.yaml", 3)
_HEX = "0123456789abcdef0123456789abcdef"
_UUID = "9a0a7c54-7d1b-4c1e-8a52-1f0e6a8d3b21"
_PHONE = "+15551230000"
_OTHER = "+15551230001"

DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-59.westeurope.logic.azure.com:443/workflows/0a1b2c/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=Ab9xSecretSignature"
)
GCHAT = "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=aKey12345&token=aToken12345"
MATTERMOST = "https://mm.example.com/hooks/3ccdd113474722377935511fc85d3dd4"
ROCKET = "https://rc.example.com/hooks/tokenAtokenA/tokenBtokenBtokenB"
WEBEX = f"https://webexapis.com/v1/webhooks/incoming/{'a' * 80}"
SQUADCAST = f"https://api.squadcast.com/v2/incidents/api/{_HEX}"
INCIDENTIO = "https://api.incident.io/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66"
TELEGRAM = "123456789:AAEf0123456789abcdefghijklmnopqrstu"

GATUS: dict[str, tuple[dict[str, Any], str]] = {
    "aws-ses": (
        {
            "access-key-id": "AHIAJGNT76XIMXDBIJYA",
            "secret-access-key": "bu1dHSdO22pfaaVy/wmNsdljF4C07D3bndi9PQJ9",
            "region": "us-east-2",
            "from": "me@example.com",
            "to": "you@example.com",
        },
        "ses://",
    ),
    "custom": (
        {"url": f"https://hooks.example.com/x/{_HEX}?token=s3cr3tt0ken"},
        "webhook+https://",
    ),
    "discord": ({"webhook-url": DISCORD}, "discord://"),
    "email": (
        {
            "from": "me@example.com",
            "username": "me@example.com",
            "password": "a/b@c:secret",
            "host": "mail.example.com",
            "port": 587,
            "to": "you@example.com,they@example.com",
        },
        "mailtos://",
    ),
    "googlechat": ({"webhook-url": GCHAT}, "gchat://"),
    "gotify": (
        {"server-url": "https://gotify.example.com", "token": "AbCdEf123456789"},
        "gotifys://",
    ),
    "homeassistant": ({"url": "http://ha.lan:8123", "token": _HEX * 2}, "hassio://"),
    "ifttt": ({"webhook-key": "WebHookID123", "event-name": "down"}, "ifttt://"),
    "ilert": ({"integration-key": f"il1api{_HEX}"}, "ilert://"),
    "incident-io": ({"url": INCIDENTIO, "auth-token": _HEX}, "incidentio://"),
    "line": ({"channel-access-token": _HEX * 4, "user-ids": ["U123"]}, "line://"),
    "matrix": (
        {
            "server-url": "https://matrix.example.com",
            "access-token": "syt_abcdefghij",
            "internal-room-id": "!room:example.com",
        },
        "matrixs://",
    ),
    "mattermost": ({"webhook-url": MATTERMOST, "channel": "ops"}, "mmosts://"),
    "messagebird": (
        {"access-key": "a" * 25, "originator": _PHONE, "recipients": f"{_PHONE},{_OTHER}"},
        "msgbird://",
    ),
    "n8n": ({"webhook-url": f"https://n8n.example.com/webhook/{_UUID}"}, "webhook+https://"),
    "ntfy": ({"topic": "alerts", "token": "tk_abcdefghijklmn", "priority": 4}, "ntfys://"),
    "opsgenie": ({"api-key": _UUID}, "opsgenie://"),
    "pagerduty": ({"integration-key": _HEX}, "pagerduty://"),
    "plivo": (
        {
            "auth-id": "MAXXXXXXXXXXXXXXXXXX"[:20].ljust(20, "A"),
            "auth-token": "t" * 40,
            "from": _PHONE,
            "to": [_OTHER],
        },
        "plivo://",
    ),
    "pushover": ({"application-token": "a" * 30, "user-key": "u" * 30, "priority": 1}, "pover://"),
    "rocketchat": ({"webhook-url": ROCKET, "channel": "#ops"}, "rockets://"),
    "sendgrid": (
        {"api-key": "SG.abcdefghijklmnop", "from": "me@example.com", "to": "you@example.com"},
        "sendgrid://",
    ),
    "signal": (
        {"api-url": "http://signal.lan:8080", "number": _PHONE, "recipients": [_OTHER]},
        "signal://",
    ),
    "signl4": ({"team-secret": "team1secret"}, "signl4://"),
    "slack": ({"webhook-url": SLACK}, "slack://"),
    "squadcast": ({"webhook-url": SQUADCAST}, "squadcast://"),
    "teams": ({"webhook-url": "https://a.webhook.office.com/webhookb2/x@y/IncomingWebhook/z"}, ""),
    "teams-workflows": ({"webhook-url": TEAMS}, "workflows://"),
    "telegram": ({"token": TELEGRAM, "id": "-100123456", "topic-id": "7"}, "tgram://"),
    "twilio": (
        {"sid": "AC" + _HEX, "token": _HEX, "from": _PHONE, "to": _OTHER},
        "twilio://",
    ),
    "vonage": (
        {
            "api-key": "AC123456",
            "api-secret": "s" * 16,
            "from": "15551230000",
            "to": ["15551230001"],
        },
        "vonage://",
    ),
    "webex": ({"webhook-url": WEBEX}, "wxteams://"),
    "zapier": ({"webhook-url": "https://hooks.zapier.com/hooks/catch/12345/abcdef/"}, ""),
    "zulip": (
        {
            "bot-email": "gatus-bot@acme.zulipchat.com",
            "bot-api-key": _HEX,
            "domain": "acme.zulipchat.com",
            "channel-id": "12345",
        },
        "zulip://",
    ),
}

KUMA: dict[str, tuple[dict[str, Any], str]] = {
    "46elks": (
        {
            "elksUsername": "u123",
            "elksAuthToken": _HEX,
            "elksFromNumber": _PHONE,
            "elksToNumber": _OTHER,
        },
        "elks://",
    ),
    "AlertNow": (
        {"alertNowWebhookURL": f"https://alertnow.example.com/x/{_HEX}"},
        "webhook+https://",
    ),
    "Bark": ({"barkEndpoint": "https://api.day.app/theKey123456"}, "barks://"),
    "Brevo": (
        {
            "brevoApiKey": "xkeysib-abcdefgh",
            "brevoFromEmail": "me@example.com",
            "brevoToEmail": "you@example.com",
        },
        "brevo://",
    ),
    "DingDing": (
        {
            "webHookUrl": f"https://oapi.dingtalk.com/robot/send?access_token={_HEX}",
            "secretKey": "SEC0123456789",
        },
        "dingtalk://",
    ),
    "Feishu": (
        {"feishuWebHookUrl": f"https://open.feishu.cn/open-apis/bot/v2/hook/{_UUID}"},
        "feishu://",
    ),
    "Flowtriq": ({"flowtriqWebhookUrl": f"https://flowtriq.com/hook/{_HEX}"}, "webhook+https://"),
    "FreeMobile": (
        {"freemobileUser": "12345678", "freemobilePass": "passpasspass"},
        "freemobile://",
    ),
    "GoAlert": (
        {"goAlertBaseURL": "https://goalert.example.com", "goAlertToken": _UUID},
        "goalerts://",
    ),
    "GoogleChat": ({"googleChatWebhookURL": GCHAT}, "gchat://"),
    "GrafanaOncall": (
        {"GrafanaOncallURL": f"https://oncall.example.com/x/{_HEX}"},
        "webhook+https://",
    ),
    "HaloPSA": ({"halowebhookurl": f"https://halo.example.com/x/{_HEX}"}, "webhook+https://"),
    "HomeAssistant": (
        {"homeAssistantUrl": "https://ha.example.com/", "longLivedAccessToken": _HEX},
        "hassios://",
    ),
    "JiraServiceManagement": (
        {"jsmApiToken": _UUID, "jsmCloudId": "c", "jsmEmail": "a@b.c"},
        "jira://",
    ),
    "Keep": (
        {"webhookURL": f"https://keep.example.com/x/{_HEX}", "webhookAPIKey": "k"},
        "webhook+https://",
    ),
    "Kook": (
        {"kookBotToken": "1/MTIzNDU=/abcdefghijklmnopqrstuv==", "kookGuildID": "1234567890"},
        "kook://",
    ),
    "OneBot": (
        {
            "httpAddr": "http://bot.lan:5700",
            "accessToken": "abcdefgh",
            "msgType": "group",
            "recieverId": "123456",
        },
        "onebot://",
    ),
    "Opsgenie": ({"opsgenieApiKey": _UUID, "opsgenieRegion": "eu"}, "opsgenie://"),
    "PagerDuty": (
        {
            "pagerdutyIntegrationKey": _HEX,
            "pagerdutyIntegrationUrl": "https://events.pagerduty.com/v2/enqueue",
        },
        "pagerduty://",
    ),
    "PagerTree": (
        {"pagertreeIntegrationUrl": "https://api.pagertree.com/integration/int_0123456789"},
        "pagertree://",
    ),
    "PushByTechulus": ({"pushAPIKey": _UUID}, "push://"),
    "PushDeer": ({"pushdeerKey": "PDU1abcdef"}, "pushdeers://"),
    "PushPlus": ({"pushPlusSendKey": _HEX}, "pushplus://"),
    "Resend": (
        {
            "resendApiKey": "re_abcdefgh12345",
            "resendFromEmail": "me@example.com",
            "resendToEmail": "you@example.com",
        },
        "resend://",
    ),
    "SIGNL4": ({"webhookURL": "https://connect.signl4.com/webhook/team1secret"}, "signl4://"),
    "SMSEagle": (
        {
            "smseagleUrl": "https://eagle.lan",
            "smseagleToken": "abcdefgh",
            "smseagleRecipient": _PHONE,
        },
        "smseagles://",
    ),
    "SMSManager": ({"smsmanagerApiKey": "abcdefghij", "numbers": "420775000111"}, "smsmanager://"),
    "SendGrid": (
        {
            "sendgridApiKey": "SG.abcdefghijklmnop",
            "sendgridFromEmail": "me@example.com",
            "sendgridToEmail": "you@example.com",
        },
        "sendgrid://",
    ),
    "ServerChan": ({"serverChanSendKey": "SCT123456abcdef"}, "schan://"),
    "SevenIO": (
        {"sevenioApiKey": "abcdefghijkl", "sevenioReceiver": "15551230000", "sevenioSender": "me"},
        "seven://",
    ),
    "Splunk": (
        {
            "splunkRestURL": f"https://alert.victorops.com/integrations/generic/20131114/alert/{_UUID}/db"
        },
        "splunk://",
    ),
    "SpugPush": ({"templateKey": _HEX}, "spugpush://"),
    "WPush": ({"wpushAPIkey": f"WPUSH{_HEX[:27]}"}, "wpush://"),
    "WeCom": ({"weComBotKey": _UUID}, "wecombot://"),
    "ZohoCliq": (
        {
            "webhookUrl": "https://cliq.zoho.eu/company/12345/api/v2/bots/thebot/message?zapikey=1001.abc.def"
        },
        "cliq://",
    ),
    "apprise": ({"appriseURL": f"gotifys://gotify.example.com/{_HEX}"}, "gotifys://"),
    "bale": ({"baleBotToken": TELEGRAM, "baleChatID": "12345"}, "bale://"),
    "clicksendsms": (
        {
            "clicksendsmsLogin": "me",
            "clicksendsmsPassword": "abcdefgh-1",
            "clicksendsmsToNumber": _PHONE,
        },
        "clicksend://",
    ),
    "discord": ({"discordWebhookUrl": DISCORD, "discordUsername": "kuma"}, "discord://"),
    "evolution": (
        {
            "evolutionApiUrl": "https://evo.example.com",
            "evolutionAuthToken": "abcdefgh",
            "evolutionInstanceName": "one",
            "evolutionRecipient": "15551230000",
        },
        "evolutions://",
    ),
    "fluxer": (
        {"fluxerWebhookUrl": "https://api.fluxer.app/webhooks/1234567890/AbcDef_1234567890"},
        "fluxer://",
    ),
    "gorush": (
        {
            "gorushServerURL": "http://gorush.lan:8088",
            "gorushDeviceToken": _HEX,
            "gorushPlatform": "android",
        },
        "gorush://",
    ),
    "gotify": (
        {
            "gotifyserverurl": "https://g.example.com/path/",
            "gotifyapplicationToken": "AbCdEf123456789",
            "gotifyPriority": 8,
        },
        "gotifys://",
    ),
    "line": ({"lineChannelAccessToken": _HEX * 3, "lineUserID": "U123"}, "line://"),
    "matrix": (
        {
            "homeserverUrl": "https://matrix.example.com",
            "accessToken": "syt_abcdefghij",
            "internalRoomId": "!room:example.com",
        },
        "matrixs://",
    ),
    "mattermost": ({"mattermostWebhookUrl": MATTERMOST, "mattermostchannel": "#ops"}, "mmosts://"),
    "nextcloudtalk": (
        {
            "host": "https://cloud.example.com",
            "conversationToken": "abcd1234",
            "botSecret": "s" * 40,
        },
        "nctalks://",
    ),
    "ntfy": (
        {
            "ntfyserverurl": "https://ntfy.example.com",
            "ntfytopic": "alerts",
            "ntfyAuthenticationMethod": "usernamePassword",
            "ntfyusername": "me",
            "ntfypassword": "a/b@c:secret",
        },
        "ntfys://",
    ),
    "octopush": (
        {
            "octopushLogin": "me@example.com",
            "octopushAPIKey": "abcdefghijklm",
            "octopushSenderName": "kuma",
            "octopushPhoneNumber": _PHONE,
        },
        "octopush://",
    ),
    "pinglet": ({"pingletPublishUrl": f"https://pinglet.example.com/x/{_HEX}"}, "webhook+https://"),
    "plivo": (
        {
            "plivoAuthID": "A" * 20,
            "plivoAuthToken": "t" * 40,
            "plivoFromNumber": _PHONE,
            "plivoToNumber": _OTHER,
        },
        "plivo://",
    ),
    "pushbullet": ({"pushbulletAccessToken": "o.abcdefghijklmnop"}, "pbul://"),
    "pushover": (
        {"pushoveruserkey": "u" * 30, "pushoverapptoken": "a" * 30, "pushoverdevice": "phone"},
        "pover://",
    ),
    "pushy": ({"pushyAPIKey": _HEX, "pushyToken": "b" * 22}, "pushy://"),
    "rocket.chat": ({"rocketwebhookURL": ROCKET}, "rockets://"),
    "serwersms": (
        {
            "serwersmsUsername": "me",
            "serwersmsPassword": "passpass1",
            "serwersmsSenderName": "kuma",
            "serwersmsPhoneNumber": "+48500600700",
        },
        "serwersms://",
    ),
    "signal": (
        {
            "signalURL": "http://signal.lan:8080/v2/send",
            "signalNumber": _PHONE,
            "signalRecipients": _OTHER,
        },
        "signal://",
    ),
    "slack": ({"slackwebhookURL": SLACK, "slackchannel": "#ops"}, "slack://"),
    "smsc": (
        {"smscLogin": "me", "smscPassword": "passpass1", "smscToNumber": "77771234567"},
        "smsc://",
    ),
    "smtp": (
        {
            "smtpHost": "mail.example.com",
            "smtpPort": 465,
            "smtpSecure": True,
            "smtpUsername": "me",
            "smtpPassword": "a/b@c:secret",
            "smtpFrom": '"Kuma" <me@example.com>',
            "smtpTo": "you@example.com",
        },
        "mailtos://",
    ),
    "squadcast": ({"squadcastWebhookURL": SQUADCAST}, "squadcast://"),
    "stackfield": (
        {"stackfieldwebhookURL": f"https://www.stackfield.com/apiwh/{_UUID}"},
        "stackfield://",
    ),
    "teams": ({"webhookUrl": TEAMS}, "workflows://"),
    "telegram": (
        {"telegramBotToken": TELEGRAM, "telegramChatID": "-100123", "telegramSendSilently": True},
        "tgram://",
    ),
    "telnyx": (
        {"telnyxApiKey": "KEY0123456789", "telnyxPhoneNumber": _PHONE, "telnyxToNumber": _OTHER},
        "telnyx://",
    ),
    "threema": (
        {
            "threemaSenderIdentity": "*ABCDEFG",
            "threemaSecret": "abcdefghijklmnop",
            "threemaRecipient": "ECHOECHO",
        },
        "threema://",
    ),
    "twilio": (
        {
            "twilioAccountSID": "AC" + _HEX,
            "twilioAuthToken": _HEX,
            "twilioFromNumber": _PHONE,
            "twilioToNumber": _OTHER,
        },
        "twilio://",
    ),
    "webhook": (
        {"webhookURL": f"https://hooks.example.com/{_HEX}", "httpMethod": "post"},
        "webhook+https://",
    ),
    "whapi": ({"whapiAuthToken": "abcdefghijklmnop", "whapiRecipient": "15551230000"}, "whapi://"),
}
KUMA["Elks"] = KUMA["46elks"]
KUMA["nostr"] = ({"sender": "a" * 64, "recipients": "b" * 64}, "nostr://")

ALERTMANAGER: dict[str, tuple[dict[str, Any], str]] = {
    "discord_configs": ({"webhook_url": DISCORD}, "discord://"),
    "email_configs": (
        {
            "to": "you@example.com, they@example.com",
            "from": "Alerts <me@example.com>",
            "smarthost": "smtp.example.com:587",
            "auth_username": "me@example.com",
            "auth_password": "a/b@c:secret",
        },
        "mailtos://",
    ),
    "incidentio_configs": ({"url": INCIDENTIO, "alert_source_token": _HEX}, "incidentio://"),
    "mattermost_configs": ({"webhook_url": MATTERMOST, "channel": "ops"}, "mmosts://"),
    "msteams_configs": ({"webhook_url": "https://a.webhook.office.com/webhookb2/x@y/z"}, ""),
    "msteamsv2_configs": ({"webhook_url": TEAMS}, "workflows://"),
    "opsgenie_configs": (
        {
            "api_key": _UUID,
            "api_url": "https://api.eu.opsgenie.com/",
            "responders": [
                {"name": "Ops Team", "type": "team"},
                {"username": "a@b.c", "type": "user"},
            ],
        },
        "opsgenie://",
    ),
    "pagerduty_configs": ({"routing_key": _HEX, "severity": "error"}, "pagerduty://"),
    "pushover_configs": ({"user_key": "u" * 30, "token": "a" * 30}, "pover://"),
    "rocketchat_configs": (
        {
            "api_url": "https://rc.example.com/",
            "channel": "#ops",
            "token_id": "a" * 17,
            "token": "b" * 43,
        },
        "rockets://",
    ),
    "slack_configs": ({"api_url": SLACK, "channel": "#ops", "title": "{{ .Status }}"}, "slack://"),
    "sns_configs": (
        {
            "topic_arn": "arn:aws:sns:us-east-2:123456789012:alerts",
            "sigv4": {
                "access_key": "AHIAJGNT76XIMXDBIJYA",
                "secret_key": "bu1dHSdO22pfaaVywmNsdljF4C07D3bndi9PQJ9a",
            },
        },
        "sns://",
    ),
    "telegram_configs": (
        {"bot_token": TELEGRAM, "chat_id": -100123, "message_thread_id": 7},
        "tgram://",
    ),
    "victorops_configs": ({"api_key": _UUID, "routing_key": "db"}, "splunk://"),
    "webex_configs": (
        {
            "room_id": "Y2lzY29zcGFyazovL3VzL1JPT00v",
            "http_config": {"authorization": {"credentials": "a" * 107}},
        },
        "wxteams://",
    ),
    "webhook_configs": ({"url": "http://bot:8080/alerts"}, "webhook+http://bot:8080/alerts"),
    "wechat_configs": (
        {
            "corp_id": "ww0123456789abcdef",
            "api_secret": "s" * 43,
            "agent_id": 1000002,
            "to_user": "ann",
        },
        "wechat://",
    ),
}

SAMPLES = {
    **{f"gatus.{name}": one for name, one in GATUS.items()},
    **{f"kuma.{name}": one for name, one in KUMA.items()},
    **{f"alertmanager.{name}": one for name, one in ALERTMANAGER.items()},
}
OPEN = ("from", "to", "host", "url", "name", "chat", "id", "room", "channel", "topic", "region")


class Keeping(Secrets):
    """Secrets with their values, for the notifier's environment of a test."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    def channel(self, hint: str, place: Place, what: str, *, value: str | None = None) -> str:
        name = super().channel(hint, place, what, value=value)
        self.values[name[2:-1]] = value or ""
        return name


@pytest.mark.parametrize("provider", SAMPLES)
def test_the_channel_of_a_provider_can_be_used(provider: str) -> None:
    fields, scheme = SAMPLES[provider]
    secrets = Keeping()
    found = channel(provider, fields, secrets, PLACE)
    assert isinstance(found, Channel), found
    for url in found.urls:
        assert problem(url) is None
        if all(secrets.values.get(name) for name in placeholders(url)):
            assert problem(url, secrets.values) is None, (url, secrets.values)
            assert usable(url, secrets.values).startswith(scheme)
    for value in secrets.values.values():
        assert not value or all(value not in text for text in (*found.urls, *found.differences))
        assert all(value not in one.what for one in secrets.found if value)
    assert all(one.place == PLACE and not one.of_checks for one in secrets.found)


def test_every_provider_is_made_or_refused_with_what_comes_nearest() -> None:
    made = {name for name, one in PROVIDERS.items() if not isinstance(one, str)}
    assert made == set(SAMPLES)
    for name, why in PROVIDERS.items():
        if isinstance(why, str):
            found = channel(name, {}, Secrets(), PLACE)
            assert found == Refused(why)
            assert "nearest" in why


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_its_fields_it_is_refused_with_the_one_that_is_missing(provider: str) -> None:
    found = channel(provider, {}, Secrets(), PLACE)
    assert isinstance(found, Refused)
    assert provider.partition(".")[2] in found.why or "nearest" in found.why


def made(provider: str, fields: Mapping[str, Any]) -> Channel:
    found = channel(provider, fields, Secrets(), PLACE)
    assert isinstance(found, Channel), found
    return found


def test_a_variable_of_the_source_keeps_its_name() -> None:
    secrets = Secrets()
    found = channel("gatus.discord", {"webhook-url": "${DISCORD_URL}"}, secrets, PLACE)
    assert found == Channel(("${DISCORD_URL}",))
    assert [one.name for one in secrets.found] == ["DISCORD_URL"]
    found = channel("gatus.telegram", {"token": "$TOKEN", "id": "${CHAT}"}, secrets, PLACE)
    assert found == Channel(("tgram://${TOKEN}/${CHAT}",))
    found = channel(
        "alertmanager.pushover_configs",
        {"user_key": "{{ .PUSHOVER_USER }}", "token_file": "/etc/token"},
        secrets,
        PLACE,
    )
    assert found == Channel(("pover://${PUSHOVER_USER}@${PUSHOVER_TOKEN}/",))


def test_a_dollar_of_a_password_is_no_variable() -> None:
    fields = KUMA["smtp"][0] | {"smtpPassword": "$ecretWord"}
    (url,) = made("kuma.smtp", fields).urls
    assert "ecretWord" not in url
    fields = ALERTMANAGER["email_configs"][0] | {"auth_password": "$ecretWord"}
    assert all("ecretWord" not in url for url in made("alertmanager.email_configs", fields).urls)


def test_a_setting_of_portquorum_is_no_variable_of_a_channel() -> None:
    (url,) = made("gatus.telegram", {"token": "${PORTQUORUM_KAFKA}", "id": "1"}).urls
    assert "PORTQUORUM" not in url


@pytest.mark.parametrize(
    ("provider", "fields", "urls", "words"),
    [
        (
            "kuma.slack",
            {"slackwebhookURL": "https://chat.example.com/hooks/abcdefgh"},
            "mmosts://chat.example.com/${SLACKWEBHOOK_URL}",
            "Mattermost",
        ),
        (
            "alertmanager.slack_configs",
            {"api_url": "https://rc.example.com/hooks/a/b"},
            "rockets://${SLACK_API_URL}@rc.example.com?mode=webhook",
            "Rocket.Chat",
        ),
        (
            "alertmanager.slack_configs",
            {"api_url": f"{DISCORD}/slack", "channel": "#a"},
            "${SLACK_API_URL}",
            "channel of discord",
        ),
        (
            "alertmanager.slack_configs",
            {"api_url": "http://slack.com"},
            "${SLACK_API_URL}",
            "has to be set to one",
        ),
        ("alertmanager.webhook_configs", {"url": SLACK}, "${WEBHOOK_URL}", "its own way"),
        (
            "alertmanager.webhook_configs",
            {"url": "https://me:pass1@h.example.com/api/v1/alerts"},
            "webhook+https://me:${WEBHOOK_URL_PASSWORD}@h.example.com/api/v1/alerts",
            "CloudEvent",
        ),
        (
            "kuma.telegram",
            {"telegramBotToken": "1:a", "telegramChatID": "@x", "telegramTemplate": "hi"},
            "tgram://${TELEGRAM_BOT_TOKEN}/@x",
            "not taken over: telegramTemplate",
        ),
    ],
)
def test_what_differs_is_said(provider: str, fields: dict[str, Any], urls: str, words: str) -> None:
    found = made(provider, fields)
    assert found.urls == (urls,)
    assert any(words in one for one in found.differences)


@pytest.mark.parametrize(
    ("provider", "fields", "words"),
    [
        (
            "alertmanager.email_configs",
            {"to": "{{ .CommonLabels.owner }}", "smarthost": "a:25", "from": "a@b.c"},
            "chosen by a template",
        ),
        ("alertmanager.slack_configs", {"api_url": "https://example.com/x"}, "webhook+https://"),
        ("gatus.telegram", {"token": "x"}, "telegram has no id"),
        ("kuma.nobody", {}, "no provider"),
        ("alertmanager.sns_configs", {"topic_arn": "a", "sigv4": {}}, "role"),
    ],
)
def test_what_is_refused_says_why(provider: str, fields: dict[str, Any], words: str) -> None:
    found = channel(provider, fields, Secrets(), PLACE)
    assert isinstance(found, Refused)
    assert words in found.why


_ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=20),
    st.just("https://[x"),
    st.just("${A}/${B"),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


@settings(max_examples=40)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_whatever_stands_in_the_fields(provider: str, data: st.DataObject) -> None:
    fields = {name: data.draw(_ANY) for name in SAMPLES[provider][0]}
    channel(provider, fields, Secrets(), PLACE)
