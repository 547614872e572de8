# `make demo` runs the pipeline twice and compares; `make test` checks the code. Both are quick when nothing changed.

PYTHON ?= python3
# TORCH=cpu takes torch from PyTorch's CPU index where that can be reached: 0.5 GB to download instead of 3, no GPU.
TORCH ?= default
# For `make article` and `make benchmark` without a network: DATA=path/to/hymenoptera_data.zip ARCH=efficientnet_lite0
DATA ?=
ARCH ?=
# For `make benchmark`: WHAT=frozen measures one of frozen, finetune, memory, startup, seeds, settings, ledger,
# report_site, inference, checkpoint, distributed; gpu, which is no part of all, needs one.
WHAT ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export UV_NO_CONFIG := 1
UV = .venv/bin/uv pip install --quiet --python .venv/bin/python --compile-bytecode

.PHONY: demo article test benchmark format lock

demo: .venv/demo.$(TORCH)
	@dvc repro
	@echo; echo "Once more, with train.epochs=2, in a temporary copy:"
	@dvc exp run --quiet --temp --set-param train.epochs=2
	@$(MAKE) --no-print-directory tell NEXT="dvc exp run -S train.epochs=8"

article: .venv/demo.$(TORCH)
	@runhive use hymenoptera $(if $(DATA),data.url=$(DATA)) $(if $(ARCH),model.arch=$(ARCH))
	@dvc repro
	@dvc exp run --quiet --temp --set-param train.mode=frozen
	@$(MAKE) --no-print-directory tell NEXT="runhive use digits"

.PHONY: tell
tell:
	@echo; runhive compare
	@echo; echo "The report: $(CURDIR)/site/index.html (open it in a browser; no server needed)"
	@echo "Next, in this shell: . .venv/bin/activate && $(NEXT)"

test: .venv/test.$(TORCH)
	ruff format --check .
	ruff check .
	mypy
	pytest -n 2 --dist loadfile

# The figures of docs/explanation/performance.md and ledger.md, measured again: more than an hour on two cores.
benchmark: .venv/benchmark.$(TORCH)
	@python tests/benchmarks $(WHAT) $(if $(DATA),--data $(DATA))

format: .venv/test.$(TORCH)
	ruff format .
	ruff check --fix .

# Each rule below leaves a file that says it is done; a changed lock makes it again.
.venv/uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv .venv || { echo "venv is missing: install it (on Debian: apt install python3-venv)"; exit 1; }
	@awk '/^[^ ]/ { keep = /^uv==/ } keep' requirements.lock > .venv/uv.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@touch $@

.venv/demo.default: .venv/uv requirements.lock pyproject.toml
	@echo "Installing the pinned requirements into .venv: about 3 GB to download, most of it torch with CUDA."
	@echo "Without a GPU, and where PyTorch's own index can be reached: make $(MAKECMDGOALS) TORCH=cpu (0.5 GB)."
	@$(UV) --require-hashes --no-deps -r requirements.lock
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.default .venv/benchmark.default: .venv/%.default: .venv/demo.default requirements-%.lock
	@$(UV) --require-hashes --no-deps -r requirements-$*.lock
	@touch $@

# The lock without torch and its CUDA libraries, then the same versions of torch from PyTorch's CPU index,
# whose hashes the lock does not hold.
.venv/demo.cpu .venv/test.cpu .venv/benchmark.cpu: .venv/uv $(wildcard requirements*.lock) pyproject.toml
	@echo "Installing the pinned requirements into .venv: about 0.5 GB to download."
	@awk '/^[^ ]/ { drop = /^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==/ } !drop' \
	  requirements$(subst -demo,,-$(basename $(@F))).lock > .venv/cpu.lock
	@$(UV) --require-hashes --no-deps -r .venv/cpu.lock
	@$(UV) --torch-backend cpu $$(sed -n 's/^\(torch\|torchvision\)\(==[0-9.]*\).*/\1\2/p' requirements.lock)
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml --extra train --extra report --group build --output-file requirements.lock
	for group in test benchmark; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    pyproject.toml --extra train --extra report --group build --group $$group --constraint requirements.lock \
	    --output-file requirements-$$group.lock || exit 1; \
	done
