"""Countdown: make the target from the numbers with + - * /, each number exactly once."""

from wrongcot_data.tasks.base import Task
from wrongcot_data.tasks.countdown.task import Countdown

TASK: Task = Countdown()
