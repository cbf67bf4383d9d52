# One build, four programs: --target node | nginx | shipper | store.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
RUN python3 -m venv /opt/venv
COPY requirements/runtime.txt /src/requirements.txt
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes -r /src/requirements.txt
COPY exporters /opt/app/exporters
COPY shipper /opt/app/shipper
COPY LICENSE NOTICE /opt/app/
RUN /opt/venv/bin/python -m compileall -q /opt/app && /opt/venv/bin/pip uninstall -y -q pip

FROM ${PYTHON_IMAGE} AS program
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/app /opt/app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/app
STOPSIGNAL SIGTERM
# node_exporter's own image has busybox, and the health check of its users is `wget`.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends busybox \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /bin/busybox /usr/local/bin/wget
# For who names the program of the original's image: `command: [/bin/node_exporter, …]`.
COPY deploy/launch /usr/local/bin/launch

FROM program AS node
RUN ln -s /usr/local/bin/launch /bin/node_exporter
USER 65534:65534
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["python", "-m", "exporters.node", "healthcheck"]
ENTRYPOINT ["python", "-m", "exporters.node"]

# The folder is for a volume that nginx has too: --accesslog.syslog-listen=unix:…
FROM program AS nginx
RUN mkdir /run/nginx-exporter && chown 65534:65534 /run/nginx-exporter \
    && ln -s /usr/local/bin/launch /usr/bin/nginx-prometheus-exporter \
    && ln -s /usr/local/bin/launch /usr/bin/exporter
USER 65534:65534
EXPOSE 9113
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["python", "-m", "exporters.nginx", "healthcheck"]
ENTRYPOINT ["python", "-m", "exporters.nginx"]

FROM program AS store
RUN mkdir /loki && chown 10001:10001 /loki
USER 10001:10001
VOLUME /loki
EXPOSE 3100
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["python", "-m", "shipper.store", "healthcheck"]
ENTRYPOINT ["python", "-m", "shipper.store"]
CMD ["--storage.path=/loki/store.db"]

# As root, like promtail's own image: the Docker socket belongs to root. With journalctl,
# as promtail's image can read a journal that is mounted.
FROM program AS shipper
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends systemd \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/local/bin/launch /usr/bin/promtail \
    && mkdir /var/lib/promtail && chown 65534:65534 /var/lib/promtail
# What promtail's own image has there, for who mounts no file of his own.
COPY deploy/shipper/image.yaml /etc/promtail/config.yml
EXPOSE 9080
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["python", "-m", "shipper", "healthcheck"]
ENTRYPOINT ["python", "-m", "shipper"]
CMD ["-config.file=/etc/promtail/config.yml"]
