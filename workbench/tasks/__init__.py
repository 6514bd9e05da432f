"""Task types: NER, POS tagging and extractive question answering, behind one protocol."""

from workbench.tasks import ner, pos, qa
from workbench.tasks.base import IGNORE, TASKS, AnswerTask, TaggingTask, Task, get_task

__all__ = ["IGNORE", "TASKS", "AnswerTask", "TaggingTask", "Task", "get_task", "ner", "pos", "qa"]
