"""Data: what is there, more of it in, labels out."""

from workbench.ui.data_page import draw_data_page
from workbench.ui.page import open_page

draw_data_page(open_page("Data"))
