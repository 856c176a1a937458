"""Encryption to the parties of a contract: each in the algorithms of its family, all of them the same content.

recipients    may anything be encrypted to these certificates, today?
envelope      one package: a message for each family, and a signed manifest that binds them together
"""
