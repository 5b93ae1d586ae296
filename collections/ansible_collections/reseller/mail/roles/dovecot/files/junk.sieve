# SPDX-License-Identifier: GPL-3.0-or-later
# Files mail that spam.sieve found to be spam into Junk. It runs before the user's own script, and instead of it.
require ["fileinto"];

if header :is "X-Spam-Folder" "Junk" {
  fileinto "Junk";
}
