"""`python -m portquorum.cli`: how the supervisor starts roles of its own interpreter."""

from portquorum.cli.main import main

main()
