"""Prefect on one machine, for `make up` and `make down`: PostgreSQL, server, worker, deployments."""
