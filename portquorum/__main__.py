"""`python -m portquorum`: the command line, where the program `portquorum` is not on the PATH."""

from portquorum.cli.main import main

main()
