# The locked environment without the project, which is mounted into it: docs/setup.md says how.
FROM debian:bookworm-slim

# make sets up .venv; git is asked for commits, by DVC too; libarchive unpacks the archives of videos.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates git libarchive13 make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/twostream
COPY Makefile ./
COPY requirements requirements
COPY scripts/install_packages.sh scripts/
RUN PIP_NO_CACHE_DIR=1 make .venv pretrained remotes

# Whoever runs it need be no user that is known here: caches go home, and Snakemake asks for a name.
ENV HOME=/tmp USER=twostream PATH=/opt/twostream/.venv/bin:$PATH
