"""nmap: the open ports of a scan (`-oX`) as targets."""
