import argparse
import sys

from iamconsole.agent.program import HELP, CannotStart, add_arguments, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m iamconsole.agent", description=HELP)
    add_arguments(parser)
    try:
        run(vars(parser.parse_args()))
    except CannotStart as error:
        sys.exit(str(error))
