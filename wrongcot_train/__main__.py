"""`python -m wrongcot_train` is `wrongcot-train`; `accelerate launch --module` starts it in each process."""

from wrongcot_train.cli import main

if __name__ == "__main__":
    main(prog_name="wrongcot-train")
