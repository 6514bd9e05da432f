"""Review: what people say of the same examples, and what of it counts."""

from workbench.domain import Role
from workbench.ui.page import open_page
from workbench.ui.review_page import draw_review_page

draw_review_page(open_page("Review", role=Role.REVIEWER))
