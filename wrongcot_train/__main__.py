"""`python -m wrongcot_train` is `wrongcot-train`."""

from wrongcot_train.cli import main

main(prog_name="wrongcot-train")
