"""The words of the pages on which people make status pages and posts."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class PostingWords(Struct, frozen=True, kw_only=True):
    """By where they stand."""

    # The list
    status_pages: str = "Status pages"
    note: str = (
        "Pages for everybody else: they show components under public names, and never a host, a "
        "port or an address."
    )
    new_page: str = "Make a status page"
    no_pages: str = "There is no status page yet."
    page: str = "Page"
    access: str = "Access"
    access_words: Mapping[str, str] = MappingProxyType({"public": "public", "locked": "locked"})
    with_password: str = "with a password"
    n_keys: str = "{n} key|{n} keys"
    n_components: str = "{n} component|{n} components"
    components: str = "Components"
    gone: str = "{n} target is gone|{n} targets are gone"
    keys_short: str = "keys"

    # A page's form
    edit_page: str = "Edit the status page {name}"
    slug: str = "Address"
    slug_hint: str = "/status/…: small letters, digits and -. It stays."
    slug_taken: str = "expected another address: there is a page at this one"
    title: str = "Title"
    description: str = "Description"
    description_hint: str = "What readers see below the title."
    who_sees: str = "Who sees it"
    public: str = "everybody"
    locked: str = "only who has the password or a link with a key"
    password: str = "Password"
    password_hint: str = "12 characters or more, for all readers of a locked page."
    password_kept: str = (
        "There is one. Empty: it stays as it is. A new one ends who came by the old."
    )
    no_password: str = "without a password: links with a key only"
    lines: str = "Components"
    lines_hint: str = (
        "One per line: Group / Public name = target, target | description. Group and description "
        "may be left out. A component is as bad as the worst of its targets."
    )
    filters: str = "Add targets by filters"
    filters_hint: str = (
        "The address of a list of targets, or its filters: team=shop&tag=prod. Each becomes a "
        "line; give it a public name."
    )
    group_for: str = "In the group"
    as_status_page: str = "Put them on a status page"
    add: str = "Add targets"
    nothing_found: str = "no target matches these filters"
    too_many_found: str = "expected at most {most} targets, found {n}"
    more: str = "More options"
    days: str = "Days of history"
    show_uptime: str = "show the uptime in percent"
    show_response_times: str = "show response times"
    contact: str = "Contact"
    contact_hint: str = "A link: https://… or mailto:…"
    preview: str = "Preview"
    preview_of: str = "Preview: not saved"
    as_it_is: str = "As it is now"
    remove_page: str = "Remove the status page {name}"
    remove_page_note: str = "Nobody sees it any more. Its keys let nobody in."
    of_posts: str = "{n} post is on it.|{n} posts are on it."
    no_page: str = "There is no status page {name}"

    # Keys
    keys_of: str = "Keys of {name}"
    keys_note: str = "A link with a key opens this page without a password, until it is revoked."
    new_key: str = "Make a link"
    key_name: str = "For whom"
    key_name_hint: str = "Only you see this."
    key_made: str = "The link, shown only this once:"
    key: str = "Key"
    no_keys: str = "There is no key."
    revoke_key: str = "Revoke the key {name}"
    revoke_note: str = "Whoever came by it is asked for another one."
    not_locked: str = "This page is public: everybody sees it without a key."

    # Posts
    posts: str = "Posts"
    post: str = "Post"
    no_posts: str = "There is no post yet."
    write_post: str = "Write a post"
    plan_work: str = "Announce planned work"
    public_post: str = "Write a public post"
    public_note: str = "Everybody who sees these pages reads it. Write public names only."
    draft_note: str = "A draft from the incident: look at it, then publish it."
    no_component: str = (
        "No status page shows the target of this incident: choose where the post belongs."
    )
    about: str = "About"
    whole_pages: str = "On the whole of a page"
    others: str = "Other components"
    others_hint: str = "One per line: PAGE/COMPONENT."
    text: str = "Text"
    text_hint: str = "Markdown."
    state: str = "State"
    states: Mapping[str, str] = MappingProxyType(
        {
            "investigating": "investigating",
            "identified": "identified",
            "monitoring": "monitoring",
            "resolved": "resolved",
            "scheduled": "scheduled",
            "in_progress": "in progress",
            "completed": "completed",
        }
    )
    impact: str = "Impact"
    impacts: Mapping[str, str] = MappingProxyType(
        {"none": "none", "minor": "minor", "major": "major", "critical": "critical"}
    )
    begins: str = "Began"
    work_begins: str = "Begins"
    ends: str = "Ended"
    work_ends: str = "Ends"
    empty_now: str = "If empty: now."
    empty_open: str = "If empty: it goes on."
    publish: str = "Publish"
    update: str = "Write an update"
    update_of: str = "{title}: {state}"
    edit_post: str = "Correct the post"
    edit_note: str = "This changes what was written: for news write an update."
    text_of: str = "Text, {state}"
    remove_post: str = "Remove the post"
    remove_post_note: str = "{title} is on no page any more, with its whole timeline."
    no_post: str = "There is no post {id}"
    of_incident: str = "From the incident"
    incident_over: str = "Its incident is over:"
    post_still_open: str = "The incident is over, its post is not:"
    resolve_post: str = "resolve the post"
    timeline: str = "Timeline"
    on_pages: str = "On"
    no_status_page: str = "There is no status page yet: an admin makes one first."
    more_posts: str = "and {n} older ones: they are in the API"
