# SPDX-License-Identifier: GPL-3.0-or-later
# What a spam filter marked goes to Junk, before the user's own script and instead of it.
require ["fileinto"];

if anyof (header :is "X-Spam-Flag" "YES", header :is "X-Spam" "Yes") {
  fileinto "Junk";
}
