"""The model card of a student: `README.md` for the Hub, and `.eval_results/` for the Hub's leaderboards.

`read` takes the student's and the evals' own records, `front_matter` and `eval_results` make the Hub's metadata of
them, and `write` the files. Nothing is measured here: what the records do not say is not said.
"""
