"""Suspects: labels that are probably wrong."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.suspects_page import draw_suspects_page

draw_suspects_page(open_page("Suspects", role=Role.REVIEWER))
