"""The program on a machine: it joins the console once, keeps a key pair of its own, and hands the credentials of the
machine's role to applications on the same machine, as EC2's metadata service and as the container endpoint do.

It needs Python and `cryptography`, no Django and no database: `python -m iamconsole.agent` does it where the console
is not installed, `manage.py machineagent` where it is.
"""
