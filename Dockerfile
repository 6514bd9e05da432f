# An exported model over HTTP:  docker build -t workbench-serve .
#   docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD/exported:/model:ro" workbench-serve
# There is no sign-in: put it behind something that has one before you open the port to others.
FROM python:3.11-slim

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY workbench ./workbench
RUN pip install --no-cache-dir --constraint constraints.txt '.[serve]' && useradd --create-home serve

USER serve
ENV WORKBENCH_HOME=/home/serve/.workbench
EXPOSE 8080
HEALTHCHECK --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=5)"]
CMD ["workbench", "serve", "/model", "--host", "0.0.0.0", "--port", "8080"]
