# Two images of one checkout.
#
# The workbench itself, as deploy/compose.yaml runs it:  docker build --target app -t annotation-workbench .
#
# An exported model over HTTP (the default):             docker build -t workbench-serve .
#   docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD/exported:/model:ro" workbench-serve
# There is no sign-in: put it behind something that has one before you open the port to others.
FROM python:3.11-slim AS base

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY workbench ./workbench


FROM base AS app

COPY Home.py alembic.ini mkdocs.yml CHANGELOG.md ./
COPY .streamlit ./.streamlit
COPY pages ./pages
COPY migrations ./migrations
COPY docs ./docs
RUN pip install --no-cache-dir --constraint constraints.txt --editable '.[lora,oidc,onnx,postgresql,ray]' \
    && useradd --create-home workbench && install --directory --owner workbench /data

USER workbench
ENV WORKBENCH_HOME=/data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["streamlit", "run", "Home.py"]


FROM base AS serve

RUN pip install --no-cache-dir --constraint constraints.txt '.[serve]' && useradd --create-home serve

USER serve
ENV WORKBENCH_HOME=/home/serve/.workbench
EXPOSE 8080
HEALTHCHECK --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=5)"]
CMD ["workbench", "serve", "/model", "--host", "0.0.0.0", "--port", "8080"]
