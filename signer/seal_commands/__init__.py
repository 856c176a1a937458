"""What `sealroad seal` does: one module for each action, with its arguments; see `signer.cli_seal`."""
