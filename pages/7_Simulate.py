"""Simulate: what each strategy would have been worth on data that is labeled already."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.simulate_page import draw_simulate_page

draw_simulate_page(open_page("Simulate", role=Role.LEAD))
