"""What is known of processes, files and workloads; every table has an owner and a limit."""
