"""The workbench's front door.

``streamlit run Home.py`` imports this file once as the server's ASGI module (the literal ``app`` below is how
Streamlit finds it) and then runs it as a script, under the name ``__main__``, for every visit to the Home page.
"""

import streamlit as st

if __name__ == "__main__":
    from workbench.ui.home import draw_home

    draw_home()
else:
    from workbench.ui.options import follow_settings
    from workbench.ui.warm import warm_up
    from workbench.web.routes import middleware, routes
    from workbench.web.startup import prepare

    follow_settings()
    prepare()
    warm_up()
    app = st.App(__file__, routes=routes(), middleware=middleware())
