"""Every message and row of portquorum as a msgspec Struct, and the topics that carry them."""
