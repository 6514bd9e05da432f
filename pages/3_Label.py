"""Label: correct the model's suggestions, one example after the other."""

from workbench.ui.label_page import draw_label_page
from workbench.ui.page import open_page

page = open_page("Label")
draw_label_page(page)
