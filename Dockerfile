# One image for web, workers, clock and migrations; docker-compose.yml says which one a container is.
FROM python:3.13-slim AS packages
COPY requirements/base.lock /base.lock
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /base.lock

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 syncline
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY config config
COPY apps apps
COPY salesforce_package salesforce_package
COPY templates templates
COPY static static
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NO_BOOTSTRAP=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    SYNCLINE_STATIC_ROOT=/app/staticfiles
# Collecting touches neither database nor secrets; the values are placeholders of this one step.
RUN DEBUG=1 DATABASE_URL=postgresql://nobody@localhost/none python -m django collectstatic --no-input
USER syncline
EXPOSE 8000
CMD ["gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--bind", "0.0.0.0:8000", \
     "--no-control-socket", "config.wsgi:application"]
