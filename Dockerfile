# The worker's image: every agent, the operator's commands, and no compiler, no devstack, no test library.

# The Python that the tests run on.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/headrace
# First the dependencies, which change seldom: this layer is kept while only the code changes.
COPY pyproject.toml README.md constraints.txt ./
RUN mkdir schemas producers consumers streams devstack demo \
    && touch schemas/__init__.py headrace.py \
    && /opt/headrace/bin/pip install --constraint constraints.txt '.[images,text,analytics,postgres,registry]' \
    && /opt/headrace/bin/pip uninstall --yes headrace
COPY headrace.py ./
COPY schemas schemas
COPY producers producers
COPY consumers consumers
COPY streams streams
COPY devstack devstack
COPY demo demo
RUN /opt/headrace/bin/pip install --no-deps .

FROM python:3.11.14-slim-bookworm
# A number, so that Kubernetes can see for itself that it is not root (runAsNonRoot).
ARG UID=10001
RUN useradd --uid ${UID} --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin headrace \
    && install --directory --owner=headrace --group=headrace /var/lib/headrace
COPY --from=build /opt/headrace /opt/headrace
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEADRACE_STORE_URL=/var/lib/headrace/objects \
    HEADRACE_DATABASE_URL=sqlite:////var/lib/headrace/headrace.db
# A new volume takes the owner of this folder. Nothing else is written but /tmp, so the root file system may be read-only.
VOLUME /var/lib/headrace
WORKDIR /var/lib/headrace
USER ${UID}:${UID}
CMD ["faust", "-A", "streams", "worker"]
