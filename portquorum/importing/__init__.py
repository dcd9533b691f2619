"""What other monitors watch, taken over: their files in, an inventory and a report out.

A wing reads the files of one program (`gatus`, `kuma`, …) and says what becomes of each entry;
`assemble` puts all of it through the inventory's own loader. No entry is lost silently: those in
are those that came out, exactly or nearly, and those that were left out with a reason.
"""
