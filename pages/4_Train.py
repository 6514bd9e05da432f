"""Train: a new model version from every accepted label, live."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.train_page import draw_train_page

draw_train_page(open_page("Train", role=Role.LEAD))
