# SPDX-License-Identifier: GPL-3.0-or-later
# Runs when a user moves or copies a message into Junk: the spam filter learns it as spam.
require ["vnd.dovecot.pipe", "copy", "variables", "environment", "vnd.dovecot.environment"];

if size :over 1M {
  stop;
}
if environment :matches "vnd.dovecot.username" "*" {
  pipe :copy "learn" ["spam", "${1}"];
}
