"""What test_docs_commands.py needs: an installation, stand-ins, and how each command is run."""
