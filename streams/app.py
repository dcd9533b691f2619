"""The Faust app of the settings: `faust -A streams.app worker`."""

from foundation import settings
from streams.worker.faust_app import StreamApp

app = StreamApp(settings.load())
