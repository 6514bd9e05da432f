"""Help: what the words mean, and the docs."""

from workbench.ui.help_page import draw_help_page
from workbench.ui.page import open_page

draw_help_page(open_page("Help", needs_project=False))
