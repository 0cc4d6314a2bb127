"""Customer value: fitted models of buying and spending, what they expect of each customer, and how well they did."""
