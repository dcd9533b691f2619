"""`portquorum beat`: runs a job and reports its begin, end, exit code and last words.

Only the standard library, and little of it before the job runs: a job must start at once.
"""
