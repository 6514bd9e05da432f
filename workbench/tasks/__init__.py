"""Task types: NER, POS tagging and extractive question answering, behind one protocol."""

from workbench.tasks import ner, pos, qa
from workbench.tasks.base import IGNORE, TASKS, AnswerTask, TaggingTask, Task, get_task
from workbench.tasks.partial import common_ground
from workbench.tasks.payloads import as_asked, check_question
from workbench.tasks.predictions import dump_prediction, load_prediction

__all__ = [
    "IGNORE",
    "TASKS",
    "AnswerTask",
    "TaggingTask",
    "Task",
    "as_asked",
    "check_question",
    "common_ground",
    "dump_prediction",
    "get_task",
    "load_prediction",
    "ner",
    "pos",
    "qa",
]
