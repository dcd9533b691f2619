"""The texts that people read, fitted to their channel; pure."""
