"""Where Strata runs: deployments, containers, the runbook and the two demo brands."""
