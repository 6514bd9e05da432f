"""Select: what to label next, and why."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.select_page import draw_select_page

draw_select_page(open_page("Select", role=Role.LEAD))
