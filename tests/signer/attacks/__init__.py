"""Attacks on signed files, generated: one for every rule of the guard and every class of later change, in every suite.

Each is a mutator over a freshly signed file, with the rule it breaks and the verdict that is required.
"""
