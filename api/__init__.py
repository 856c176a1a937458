"""Who wants what done, and when? Contracts, parties, jobs over HTTP; and the command line."""
