# `make` prints this help. Variables pass through: make up TARGET=localstack STACK_NAME=Mine
.POSIX:
.PHONY: help install up down status deploy destroy diff logs test integration acceptance load capacity wirings probe bench template aws-roles lint format clean
# The locked Node, and nothing that a machine may have of its own.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Without byte code every subprocess would compile the same packages again.
unexport PYTHONDONTWRITEBYTECODE
TIDEMARK = .venv/bin/tidemark

# What may be said on the command line; a misspelt name would be passed on in silence.
VARIABLES = TARGET STACK_NAME WIRING RETENTION DEPLOY_WITH ENDPOINT_URL PORT PROFILE USERS DURATION \
	REPOSITORY ENVIRONMENT PYTHON CI TIDEMARK_STATE_DIR TIDEMARK_AWS_ACCOUNT \
	LOCALSTACK_IMAGE LOCALSTACK_AUTH_TOKEN LOCALSTACK_PORT DOCKER_SOCKET COMPOSE_PROJECT_NAME LOAD_BASE LOAD_USER
OF_OTHERS = AWS_% DOCKER_% UV_% PIP_% NPM_% %_PROXY %_proxy PATH HOME TMPDIR SHELL
SAID := $(foreach one,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(one)))),$(one)))
UNKNOWN := $(if $(filter 0,$(MAKELEVEL)),$(firstword $(filter-out $(VARIABLES) $(OF_OTHERS),$(SAID))))
ifneq ($(UNKNOWN),)
$(error There is no variable $(UNKNOWN); the nearest is $(shell tools/nearest $(UNKNOWN) $(VARIABLES)))
endif

# For what needs no AWS account: no setting that names one, and no file or role to find one in.
NO_AWS = env $(foreach one,$(filter AWS_% AMAZON_% CDK_%,$(.VARIABLES)),-u $(one)) \
	AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true

help: ## print this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: ## install what is locked into .venv and node_modules (the others do so first)
	@tools/bootstrap

up: install ## start a local AWS, deploy the stack, prove that it works
	@$(TIDEMARK) up

down: install ## stop and remove everything that up started
	@$(TIDEMARK) down

status: install ## what runs, and what is on its way through it
	@$(TIDEMARK) status

deploy: install ## deploy the stack to the target that runs
	@$(TIDEMARK) deploy

destroy: install ## delete the stack; the target runs on
	@$(TIDEMARK) destroy

diff: install ## what a deploy would change
	@$(TIDEMARK) diff

logs: install ## what the functions logged
	@$(TIDEMARK) logs

test: install ## the fast tests; they need nothing that runs
	@$(NO_AWS) .venv/bin/pytest -n auto --dist loadfile

integration: install ## the tests on a deployed stack, on a target of their own
	@.venv/bin/pytest integration $(if $(TARGET),--target $(TARGET))

acceptance: install ## the program and its plugin from outside, as a user meets them
	@.venv/bin/pytest acceptance -n auto --dist loadfile

load: install ## load the API, and print rates, latencies and projection lag
	@$(TIDEMARK) load $(PROFILE) $(if $(USERS),--users $(USERS)) $(if $(DURATION),--duration $(DURATION))

capacity: install ## search the highest rates of writes and reads that meet their bounds
	@$(TIDEMARK) capacity $(if $(PROFILE),--profile $(PROFILE))

wirings: install ## compare the wirings by lag, calls and cost, into docs/wirings.md
	@.venv/bin/python -m tools.wirings $(if $(TARGET),--target $(TARGET))

probe: install ## what the target does not do like AWS
	@$(TIDEMARK) probe

bench: install ## measure what the README states
	@$(NO_AWS) .venv/bin/python -m tools.bench

template: install ## a plain CloudFormation template and the code zip, into build/
	@.venv/bin/python -m stack.template

aws-roles: install ## the roles with which GitHub deploys to AWS, as a CloudFormation template
	@.venv/bin/python -m tools.aws_roles $(if $(REPOSITORY),--repository "$(REPOSITORY)") \
		$(if $(ENVIRONMENT),--environment "$(ENVIRONMENT)") $(if $(STACK_NAME),--stack-name "$(STACK_NAME)")

lint: install ## style, types, import contracts
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: install ## format the code, and fix what can be fixed
	@.venv/bin/ruff check --fix-only --quiet
	@.venv/bin/ruff format

clean: ## remove what was built; what is installed and what runs stays
	@rm -rf build dist cdk.out .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
