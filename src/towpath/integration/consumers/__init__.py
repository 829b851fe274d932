"""What takes messages in and hands them to the engine: HTTP requests and the process server's jobs."""
