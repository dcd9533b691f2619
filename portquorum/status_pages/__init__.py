"""Status pages for the public: what is on them, how it looks, feeds and badges. Pure."""
