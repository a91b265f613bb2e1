"""Other engines, asked the same questions: each prepared as its documentation says is fastest, then timed alone.

They are programs to measure against, installed by `make bench` into `.bench/`; what is not installed is left out.
"""
