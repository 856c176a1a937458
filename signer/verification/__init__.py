"""The steps of a verification, one file each; `signer.verify` puts them in order."""
