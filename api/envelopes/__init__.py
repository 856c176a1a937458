"""Digital envelopes over HTTP: sealed for the parties of a contract, handed out part by part, opened with held keys."""
