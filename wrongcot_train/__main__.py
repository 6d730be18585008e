"""`python -m wrongcot_train`, which `accelerate launch --module` starts in each process."""

from wrongcot_train.cli import main

if __name__ == "__main__":
    main()
