"""A command line from functions: `command(run, option=default, …)`, where a default of None means required."""

import argparse


class Commands:
    def __init__(self, about):
        self.parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.commands = self.parser.add_subparsers(required=True)

    def command(self, run, **options):
        """Named as the function is, which gets the options as keywords."""
        sub = self.commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        sub.set_defaults(run=run)
        for option, default in options.items():
            flag = "--" + option.replace("_", "-")
            kind = str if default is None else type(default)
            sub.add_argument(flag, default=default, required=default is None, type=kind)

    def run(self):
        options = vars(self.parser.parse_args())
        options.pop("run")(**options)
