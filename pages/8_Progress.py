"""Progress: is labeling paying, and when to stop."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.progress_page import draw_progress_page

draw_progress_page(open_page("Progress", role=Role.LEAD))
