"""What there is to know of each field of an inventory: for editors, and as a page of docs/."""
