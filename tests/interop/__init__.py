"""Tests judged by programs we did not write; part of `make test-all`.

Programs and the Debian packages that hold them: `programs.py`. What is judged: `papers.py`.
"""
