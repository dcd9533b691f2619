"""A program: the role web that looks each second for what a killed process did not publish."""

import asyncio
from functools import partial

from foundation.settings import load
from portquorum.editing.page_inventory import page_inventory
from portquorum.web import main

if __name__ == "__main__":
    main.page_inventory = partial(page_inventory, repair_s=1.0)  # type: ignore[assignment]
    asyncio.run(main.run(load(), listen="127.0.0.1:0"))
