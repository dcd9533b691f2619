"""Completion in bash, zsh and fish: commands, options, and names of what is watched.

An answer must come at once, so that nothing here imports the commands: their tree is a generated
file (`python -m portquorum.cli.completion_tree`).
"""
