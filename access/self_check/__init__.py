"""The account's self-check: what is wrong with it, after the CIS benchmark for AWS and prowler.

`facts` are what was read, `checks` what is asked of them (pure); `reading` reads, `report` puts together what somebody
may see, `accepting` suppresses a finding for a while.
"""
