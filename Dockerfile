# The explorer in a container, with CUDA where the host offers it (docker run --gpus all -p 8501:8501 IMAGE).
# torch from PyPI brings its own CUDA libraries; the base image declares the driver capabilities that they need.
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04

# g++ builds compiled interatomic potentials for the device at hand.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        python3 python3-venv python3-dev g++ ca-certificates \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --shell /usr/sbin/nologin explorer \
    && mkdir /explorer \
    && chown explorer:explorer /explorer
USER explorer
WORKDIR /explorer

# Requirements first: a change of code does not install them again.
COPY --chown=explorer:explorer requirements.txt ./
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt \
    && .venv/bin/python -m pip check

COPY --chown=explorer:explorer .streamlit .streamlit
COPY --chown=explorer:explorer app app
COPY --chown=explorer:explorer core core
COPY --chown=explorer:explorer precomputed precomputed

# For first principles as well (docs/first-principles.md), add before this line:
#   USER root
#   RUN apt-get update && apt-get install -y --no-install-recommends libxc-dev libopenblas-dev libfftw3-dev
#   USER explorer
#   COPY --chown=explorer:explorer requirements-dft.txt scripts/dft.sh ./
#   RUN VENV=.venv sh dft.sh .venv/.dft

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8501
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD [".venv/bin/python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/_stcore/health\", timeout=4).read()"]

CMD ["sh", "-c", "exec .venv/bin/python -m streamlit run app/server.py --server.port \"$PORT\" --server.address 0.0.0.0 --server.headless true"]
