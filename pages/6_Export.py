"""Export: a model version as a folder that transformers loads."""

from workbench.domain import Role
from workbench.ui.export_page import draw_export_page
from workbench.ui.page import open_page

draw_export_page(open_page("Export", role=Role.LEAD))
