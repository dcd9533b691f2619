"""Uptime Kuma's notifications, by their `type`.

Source: https://github.com/louislam/uptime-kuma, `server/notification-providers/*.js`: the name and
the fields of `notification` that each reads.
"""

from collections.abc import Mapping
from typing import Final

from portquorum.importing.providers.given import Given
from portquorum.importing.providers.special import (
    CLOUD_EVENT,
    apprise,
    dingtalk,
    mail,
    mattermost,
    pasted,
    rocketchat,
    teams,
    token_at_end,
    webhook,
)
from portquorum.importing.providers.template import Maker, by

HARMLESS: Final = frozenset(
    {
        "active",
        "applyExisting",
        "config",
        "disableUrl",
        "id",
        "isDefault",
        "is_default",
        "name",
        "type",
        "userId",
        "user_id",
        "discordChannelType",
        "matrixUseTemplate",
        "ntfyAuthenticationMethod",
        "octopushVersion",
        "slackbutton",
        "telegramUseTemplate",
        "webhookContentType",
    }
)
"""Fields that say nothing of the channel, or how others are read."""

_SMS: Final = (
    "no channel speaks to this service; the nearest is an SMS by one of docs/notifications.md "
    "(twilio://, vonage://, clicksend://), or webhook+https://… to something of yours"
)
_CHAT: Final = (
    "no channel speaks to this service; the nearest is another chat of docs/notifications.md, or "
    "webhook+https://… to something of yours"
)
_ON_CALL: Final = (
    "no channel speaks to this service; the nearest is webhook+https://… to an integration of it "
    "that takes any JSON"
)


def _ntfy(given: Given) -> list[str]:
    """With a password or a token, as `ntfyAuthenticationMethod` says."""
    by_password = given.optional("ntfyAuthenticationMethod") == "usernamePassword"
    query = "?priority={ntfyPriority}"
    if by_password:
        login = "{ntfyusername}:{!ntfypassword}@"
    else:
        login, query = "", f"{query}&token={{!ntfyaccesstoken}}"
    return by(f"ntfy{{s}}://{login}{{#ntfyserverurl=https://ntfy.sh}}/{{ntfytopic}}{query}")(given)


def _onebot(given: Given) -> list[str]:
    mark = "#" if given.optional("msgType") == "group" else "@"
    login = "{!accessToken}@" if given.has("accessToken") else ""
    return by(f"onebot{{s}}://{login}{{@httpAddr}}/{mark}{{recieverId}}")(given)


def _octopush(given: Given) -> list[str]:
    own = "octopushDM" if given.optional("octopushVersion") == "1" else "octopush"
    names = (f"{own}{one}" for one in ("SenderName", "Login", "APIKey", "PhoneNumber"))
    return by("octopush://{{{}}}:{{{}}}/{{!{}}}/{{*{}}}".format(*names))(given)


PROVIDERS: Final[Mapping[str, Maker | str]] = {
    "46elks": by("elks://{elksUsername}:{!elksAuthToken}@{elksFromNumber}/{*elksToNumber}"),
    "AlertNow": webhook("alertNowWebhookURL"),
    "AliyunSMS": _SMS,
    "Bark": token_at_end("barkEndpoint", "barks://{host}/{token}", "the key in `barkEndpoint`"),
    "Bitrix24": _CHAT,
    "Brevo": by("brevo://{!brevoApiKey}:{brevoFromEmail}/{*brevoToEmail}"),
    "CallMeBot": _CHAT,
    "Cellsynt": _SMS,
    "ClickUp": _CHAT,
    "DingDing": dingtalk("webHookUrl", "secretKey"),
    "Elks": by("elks://{elksUsername}:{!elksAuthToken}@{elksFromNumber}/{*elksToNumber}"),
    "Feishu": pasted("feishuWebHookUrl", "feishu", "lark"),
    "FlashDuty": _ON_CALL,
    "Flowtriq": webhook("flowtriqWebhookUrl"),
    "FreeMobile": by("freemobile://{freemobileUser}@{!freemobilePass}"),
    "GoAlert": by("goalert{s}://{@goAlertBaseURL}/{!goAlertToken}"),
    "GoogleChat": pasted("googleChatWebhookURL", "gchat"),
    "GoogleSheets": "no channel writes rows; the nearest is webhook+https://… to a script",
    "GrafanaOncall": webhook(
        "GrafanaOncallURL", note=f"{CLOUD_EVENT}: the integration has to take any JSON"
    ),
    "HaloPSA": webhook("halowebhookurl"),
    "HeiiOnCall": _ON_CALL,
    "HomeAssistant": by(
        "hassio{s}://{@homeAssistantUrl}/{!longLivedAccessToken}/{notificationService=}"
    ),
    "JiraServiceManagement": by(
        "jira://{!jsmApiToken}",
        "the variable has to be the key of an API integration of Jira Service Management, and not "
        "the token of a user",
    ),
    "Keep": webhook("webhookURL"),
    "Kook": by("kook://{!kookBotToken}/{kookGuildID}"),
    "LineNotify": "LINE Notify has ended (March 2025); the nearest is line://TOKEN/USER",
    "MaxMessenger": _CHAT,
    "Milky": _CHAT,
    "OneBot": _onebot,
    "OneChat": _CHAT,
    "Onesender": _CHAT,
    "Ooredoo": _SMS,
    "Opsgenie": by("opsgenie://{!opsgenieApiKey}?region={opsgenieRegion}"),
    "PagerDuty": by("pagerduty://{!pagerdutyIntegrationKey}"),
    "PagerTree": pasted("pagertreeIntegrationUrl", "pagertree"),
    "PushByTechulus": by("push://{!pushAPIKey}"),
    "PushDeer": by("pushdeer{s}://{@pushdeerServer=https://api2.pushdeer.com}/{!pushdeerKey}"),
    "PushPlus": by("pushplus://{!pushPlusSendKey}"),
    "Resend": by("resend://{!resendApiKey}:{resendFromEmail}/{*resendToEmail}"),
    "SIGNL4": pasted("webhookURL", "signl4"),
    "SMSEagle": by("smseagle{s}://{!smseagleToken}@{#smseagleUrl}/{*smseagleRecipient}"),
    "SMSGateway": _SMS,
    "SMSManager": by("smsmanager://{!smsmanagerApiKey}@{*numbers}"),
    "SMSPartner": _SMS,
    "SMSPlanet": _SMS,
    "SendGrid": by("sendgrid://{!sendgridApiKey}:{sendgridFromEmail}/{*sendgridToEmail}"),
    "ServerChan": by("schan://{!serverChanSendKey}"),
    "SevenIO": by("seven://{!sevenioApiKey}/{*sevenioReceiver}?from={sevenioSender}"),
    "Splunk": token_at_end(
        "splunkRestURL",
        "splunk://ROUTING_KEY@{token}",
        "the API key in `splunkRestURL`; write the routing key in the URL of the route, too",
    ),
    "SpugPush": by("spugpush://{!templateKey}"),
    "Teltonika": _SMS,
    "TurboSMTP": "no channel speaks to its API; the nearest is mailtos://… by its SMTP server",
    "VK": _CHAT,
    "VKTeams": _CHAT,
    "WPush": by("wpush://{!wpushAPIkey}"),
    "WeCom": by("wecombot://{!weComBotKey}"),
    "Webpush": "a browser's subscription belongs to Uptime Kuma; the nearest is ntfys://HOST/TOPIC",
    "Whatsapp360messenger": _CHAT,
    "WxPusher": _CHAT,
    "YZJ": _CHAT,
    "ZohoCliq": pasted("webhookUrl", "cliq"),
    "alerta": _ON_CALL,
    "apprise": apprise("appriseURL"),
    "bale": by("bale://{!baleBotToken}/{baleChatID}"),
    "bearsms": _SMS,
    "clicksendsms": by(
        "clicksend://{clicksendsmsLogin}:{!clicksendsmsPassword}@{*clicksendsmsToNumber}"
    ),
    "discord": pasted("discordWebhookUrl", "discord"),
    "egosms": _SMS,
    "evolution": by(
        "evolution{s}://{!evolutionAuthToken}@{#evolutionApiUrl=https://evolapicloud.com}"
        "/{evolutionInstanceName}/{*evolutionRecipient}"
    ),
    "fluxer": pasted("fluxerWebhookUrl", "fluxer"),
    "gorush": by(
        "gorush{s}://{@gorushServerURL}/{!gorushDeviceToken}?platform={gorushPlatform}&topic={gorushTopic}"
    ),
    "gotify": by(
        "gotify{s}://{@gotifyserverurl}/{!gotifyapplicationToken}?priority={gotifyPriority}"
    ),
    "gtxmessaging": _SMS,
    "line": by("line://{!lineChannelAccessToken}/{lineUserID}"),
    "lunasea": _CHAT,
    "matrix": by("matrix{s}://{!accessToken}@{#homeserverUrl}/{internalRoomId}"),
    "mattermost": mattermost("mattermostWebhookUrl", "mattermostchannel"),
    "max": _CHAT,
    "nextcloudtalk": by("nctalk{s}://{@host}/{conversationToken}?secret={!botSecret}"),
    "nostr": by("nostr://{!sender}/{*recipients}"),
    "notifery": _CHAT,
    "ntfy": _ntfy,
    "octopush": _octopush,
    "openwa": _CHAT,
    "pinglet": webhook("pingletPublishUrl"),
    "plivo": by("plivo://{!plivoAuthID}@{!plivoAuthToken}/{plivoFromNumber}/{*plivoToNumber}"),
    "promosms": _SMS,
    "pumble": _CHAT,
    "pushbullet": by("pbul://{!pushbulletAccessToken}"),
    "pushover": by(
        "pover://{!pushoveruserkey}@{!pushoverapptoken}/{pushoverdevice=}"
        "?priority={pushoverpriority}&sound={pushoversounds}"
    ),
    "pushy": by("pushy://{!pushyAPIKey}/{!pushyToken}"),
    "rocket.chat": rocketchat("rocketwebhookURL", "rocketchannel"),
    "serwersms": by(
        "serwersms://{serwersmsUsername}:{!serwersmsPassword}@{serwersmsSenderName}/{*serwersmsPhoneNumber}"
    ),
    "signal": by("signal{s}://{#signalURL}/{signalNumber}/{*signalRecipients}"),
    "slack": pasted("slackwebhookURL", "slack", channel="slackchannel"),
    "smsc": by("smsc://{smscLogin}:{!smscPassword}@{*smscToNumber}?sender={smscSenderName}"),
    "smsir": _SMS,
    "smtp": mail(
        host="smtpHost",
        port="smtpPort",
        user="smtpUsername",
        credential="smtpPassword",
        sender="smtpFrom",
        to="smtpTo",
        implicit_tls="smtpSecure",
        no_tls="smtpIgnoreSTARTTLS",
    ),
    "squadcast": pasted("squadcastWebhookURL", "squadcast"),
    "stackfield": pasted("stackfieldwebhookURL", "stackfield"),
    "teams": teams("webhookUrl"),
    "telegram": by(
        "tgram://{!telegramBotToken}/{telegramChatID}?topic={telegramMessageThreadID}&silent={telegramSendSilently}"
    ),
    "telnyx": by(
        "telnyx://{!telnyxApiKey}@{telnyxPhoneNumber}/{*telnyxToNumber}?profile={telnyxMessagingProfileId}"
    ),
    "threema": by("threema://{threemaSenderIdentity}@{!threemaSecret}/{threemaRecipient}"),
    "twilio": by(
        "twilio://{!twilioAccountSID}:{!twilioAuthToken}@{twilioFromNumber}/{*twilioToNumber}?apikey={!twilioApiKey}"
    ),
    "waha": _CHAT,
    "webhook": webhook("webhookURL"),
    "whapi": by("whapi://{!whapiAuthToken}/{*whapiRecipient}"),
}
