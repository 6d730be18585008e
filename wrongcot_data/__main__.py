"""`python -m wrongcot_data` is `wrongcot-data`."""

from wrongcot_data.cli import main

main(prog_name="wrongcot-data")
