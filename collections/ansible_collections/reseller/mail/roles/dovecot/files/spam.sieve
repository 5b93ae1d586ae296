# SPDX-License-Identifier: GPL-3.0-or-later
# Decides whether a message is spam for this mailbox. It runs before all other scripts, so that these can test X-Spam-Folder.
# The spam filter of this host wrote the other fields X-Spam-*, and Postfix removed those of others. They are the same for all recipients
# of a message: its score in tenths, and the mailboxes that allow or block the sender. The mailbox's own score comes from the generation.
require ["relational", "comparator-i;ascii-numeric", "variables", "editheader", "environment", "vnd.dovecot.environment"];

if environment :matches "vnd.dovecot.username" "*" {
  set :lower "mailbox" "<${1}>";
}
# Without a score nothing is spam by its score: as a number, an empty text is larger than all others.
set "junk" "";
if environment :matches "vnd.dovecot.config.spam_junk" "*" {
  set "junk" "${1}";
}
set "folder" "";
if header :is "X-Spam-Allow" "${mailbox}" {
  set "folder" "INBOX";
} elsif anyof (header :is "X-Spam-Block" "${mailbox}", header :is "X-Spam-Flag" "YES") {
  set "folder" "Junk";
} elsif allof (exists "X-Spam-Tenths", not string :is "${junk}" "", header :value "ge" :comparator "i;ascii-numeric" "X-Spam-Tenths" "${junk}") {
  set "folder" "Junk";
}
# The first two name recipients whom the others must not see.
deleteheader "X-Spam-Allow";
deleteheader "X-Spam-Block";
deleteheader "X-Spam-Folder";
if string :is "${folder}" "Junk" {
  addheader :last "X-Spam-Folder" "Junk";
}
