"""Task types: NER, POS tagging and extractive question answering, behind one protocol."""

from workbench.tasks import ner, pos, qa
from workbench.tasks.base import IGNORE, TASKS, AnswerTask, TaggingTask, Task, get_task
from workbench.tasks.predictions import dump_prediction, load_prediction

__all__ = [
    "IGNORE",
    "TASKS",
    "AnswerTask",
    "TaggingTask",
    "Task",
    "dump_prediction",
    "get_task",
    "load_prediction",
    "ner",
    "pos",
    "qa",
]
