"""Score a student: problems it was not trained on, its replies, the task's own grader, an honest denominator.

`prepare` looks everything up and asks nothing; `evaluate` asks, grades, scores and writes:

    exam     who is asked what, and how         asking   the student's replies, as an engine gives them
    prompts  the named forms of a prompt        items    graded replies, and their Parquet file
    scoring  accuracies with their intervals    samples  pass@k and maj@k of several replies an item
    overlap  items that the student was trained on
"""

from wrongcot_train.evaluate.exam import EvalSpec, Exam, default_folder, first_prompt, prepare
from wrongcot_train.evaluate.items import ITEMS
from wrongcot_train.evaluate.prompts import PROMPTS
from wrongcot_train.evaluate.run import REPLIES, SCORE, evaluate
from wrongcot_train.evaluate.scoring import ANSWERED, score_items

__all__ = [
    "ANSWERED",
    "ITEMS",
    "PROMPTS",
    "REPLIES",
    "SCORE",
    "EvalSpec",
    "Exam",
    "default_folder",
    "evaluate",
    "first_prompt",
    "prepare",
    "score_items",
]
