"""What is wrong or doubtful in a policy folder, each with its file and line."""
