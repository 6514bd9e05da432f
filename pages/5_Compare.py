"""Compare: which model version is better, by how much, and how sure that is."""

from workbench.domain import Role
from workbench.ui.compare_page import draw_compare_page
from workbench.ui.page import open_page

draw_compare_page(open_page("Compare", role=Role.REVIEWER))
