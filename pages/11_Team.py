"""Team: guidelines, who works on the project, and how its work is shared out."""

from workbench.ui.page import open_page
from workbench.ui.team_page import draw_team_page

draw_team_page(open_page("Team"))
