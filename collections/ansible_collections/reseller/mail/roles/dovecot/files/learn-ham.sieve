# SPDX-License-Identifier: GPL-3.0-or-later
# Runs when a user moves or copies a message out of Junk: the spam filter learns it as no spam. To throw spam away says nothing about it.
require ["vnd.dovecot.pipe", "copy", "variables", "environment", "imapsieve", "vnd.dovecot.environment"];

if anyof (size :over 1M, environment :is "imap.mailbox" ["Trash", "Junk"]) {
  stop;
}
if environment :matches "vnd.dovecot.username" "*" {
  pipe :copy "learn" ["ham", "${1}"];
}
