"""The pages that change something: a form, what it does, and the page that it leads to.

GET shows a form, POST to the same address does it and answers 303 to the page where it can be seen,
with `?done=` and a fixed word. What was wrong stands at the fields, with what was typed.
"""
