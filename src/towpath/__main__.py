"""``python -m towpath``: the command line."""

from towpath.cli import main

if __name__ == "__main__":
    main()
