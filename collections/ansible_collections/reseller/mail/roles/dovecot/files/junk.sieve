# SPDX-License-Identifier: GPL-3.0-or-later
# Files mail that a spam filter marked into Junk. It runs before the user's own script, and instead of it.
require ["fileinto"];

if anyof (header :is "X-Spam-Flag" "YES", header :is "X-Spam" "Yes") {
  fileinto "Junk";
}
