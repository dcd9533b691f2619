"""Status pages and posts as people write them: what is right, who may, the edits in [web]."""
