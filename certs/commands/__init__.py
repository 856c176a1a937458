"""What the sub-commands of `certs.cli` do; imported when one of them runs."""
