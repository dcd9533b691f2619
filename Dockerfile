# One image for every role: `docker run portquorum stream`. Without the extra `embedded`: in
# production Kafka and ClickHouse run elsewhere.

FROM python:3.13.7-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY foundation foundation
COPY producers producers
COPY streams streams
COPY sinks sinks
COPY portquorum portquorum
# Wheels alone: nothing is compiled, so the image needs no compiler.
RUN python -m venv /opt/portquorum \
    && /opt/portquorum/bin/pip install --no-cache-dir --only-binary :all: --no-binary portquorum '.[web]'

FROM python:3.13.7-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/portquorum portquorum
COPY --from=build /opt/portquorum /opt/portquorum
ENV PATH=/opt/portquorum/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORTQUORUM_LOG_FORMAT=json \
    PORTQUORUM_METRICS=0.0.0.0:9400
USER 10001
WORKDIR /var/lib/portquorum
EXPOSE 9400
ENTRYPOINT ["portquorum"]
CMD ["--help"]
