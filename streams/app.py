"""The Faust app of the settings: `faust -A streams.app worker`."""

from portquorum import settings
from streams.shell import StreamApp

app = StreamApp(settings.load())
