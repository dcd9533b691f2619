"""Users, tokens and the audit log over the journal (`portquorum.changing.office`)."""
