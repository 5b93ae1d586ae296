-- SPDX-License-Identifier: GPL-3.0-or-later
-- The role reseller.mail.filter writes this file: what happens to a filtered message.
--
-- rspamd computes the score. The generation says at which score each mailbox refuses, greylists or
-- files into Junk, and which senders it allows or blocks. SMTP has one answer for all recipients of
-- a message: it is refused only if every recipient refuses it, and greylisted only if every
-- recipient wants that. What only some of them refuse goes into their Junk, by header fields.
--
-- The tables are read anew for each message, so a new generation is in effect at once.

local N = 'reseller_mail'

local logger = require 'rspamd_logger'
local lua_util = require 'lua_util'
local rspamd_trie = require 'rspamd_trie'
local rspamd_util = require 'rspamd_util'
local auth_results = require 'lua_auth_results'

local options = rspamd_config:get_all_opt(N)
if not options then
  return
end

local CASE = 'reseller_mail_case'
-- Junk, refusal and greylisting, in tenths, of a generation that has no settings: the defaults of
-- the language.
local DEFAULT = '60 150 -'
-- Never, as a score.
local NEVER = 1000000
-- The greatest score that the header shows.
local MOST = 9999
-- A message of more addresses than this, counted behind its aliases, is filtered by these.
local MOST_RECIPIENTS = 1000
-- For so many mailboxes the log says what their settings decide about a message.
local MOST_LOGGED = 20
-- These are always reachable (RFC 2142, RFC 5321 section 4.5.1).
local ROLES = { postmaster = true, abuse = true }
-- Document formats that may have macros by their name (ECMA-376 part 4, MS-OFFMACRO2).
local MACRO_EXTENSIONS = {}
for extension in ('docm dotm xlsm xltm xlam xlsb pptm potm ppsm ppam sldm'):gmatch('%S+') do
  MACRO_EXTENSIONS[extension] = true
end
-- The names of the part of a document that has macros: in ZIP archives, and in compound files, whose
-- names are UTF-16 (MS-CFB section 2.6.1).
local MACROS = rspamd_trie.create({ 'vbaProject.bin', '_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0' })

-- What the virus scanner found in an attachment, and that it could not scan one.
local VIRUS, NOT_SCANNED = 'RESELLER_MAIL_VIRUS', 'RESELLER_MAIL_NOT_SCANNED'

local function set_of(list)
  local set = {}
  for _, one in ipairs(list or {}) do
    set[one:lower()] = true
  end
  return set
end

local refused_extensions = set_of(options.attachments_extensions)
local exempt_domains = set_of(options.dmarc_exempt)

-- Tables -----------------------------------------------------------------------------------------

-- Open a table of the current generation. Return nil if it does not exist.
local function open_table(name)
  local file, message, code = io.open(options.tables .. '/' .. name, 'rb')
  if not file and code ~= 2 then
    error(message)
  end
  return file and { file = file, size = file:seek('end') }
end

-- Return the value of a key in sorted lines "key<TAB>value", or nil. It is found by bisection.
local function find_line(opened, key)
  if not opened then
    return nil
  end
  local file, low, high = opened.file, 0, opened.size
  while low < high do
    local middle = math.floor((low + high) / 2)
    if middle > low then
      file:seek('set', middle - 1)
      file:read('*l')
    else
      file:seek('set', low)
    end
    local start = file:seek()
    local line = start < high and file:read('*l')
    local this, value = (line or ''):match('^([^\t]*)\t?(.*)$')
    if this == key and line then
      return value
    elseif line and this < key then
      low = start + #line + 1
    else
      high = middle
    end
  end
  return nil
end

-- Return the keys of an address in a table, in the order in which they count: the address, the
-- address without its +extension, the domain.
local function keys_of(address)
  local user, domain = address:match('^(.*)@([^@]*)$')
  if not user then
    return { address }
  end
  local plain = user:match('^(.[^+]*)%+') or user
  if plain == user then
    return { address, '@' .. domain }
  end
  return { address, plain .. '@' .. domain, '@' .. domain }
end

local function lookup(opened, address)
  for _, key in ipairs(keys_of(address)) do
    local value = find_line(opened, key)
    if value then
      return value, key
    end
  end
  return nil
end

-- Recipients -------------------------------------------------------------------------------------

local function score_of(word)
  return tonumber(word) or NEVER
end

-- Return what a line of filter/settings says.
local function settings_of(line)
  local words = {}
  for word in line:gmatch('%S+') do
    words[#words + 1] = word
  end
  local scopes = {}
  for number = 4, #words do
    scopes[#scopes + 1] = words[number]
  end
  return {
    junk = score_of(words[1]),
    reject = score_of(words[2]),
    greylist = score_of(words[3]),
    scopes = scopes,
  }
end

-- Add the mailboxes to which the mail of an address goes. parent is the address of which it is a
-- target.
local function add_mailboxes(tables, address, parent, always, found)
  if found.seen[address] or found.count >= MOST_RECIPIENTS then
    return
  end
  found.seen[address], found.count = true, found.count + 1
  local targets = lookup(tables.aliases, address)
  local plain = keys_of(address)[#keys_of(address) - 1] or address
  if targets then
    for target in targets:gmatch('[^,%s]+') do
      if target ~= plain then
        add_mailboxes(tables, target, address, always, found)
      end
    end
    if not (', ' .. targets .. ','):find(', ' .. plain .. ',', 1, true) then
      return
    end
  end
  local line, key = lookup(tables.settings, address)
  if not line and parent then
    line, key = lookup(tables.settings, parent)
  end
  local mailbox = settings_of(line or find_line(tables.settings, '@') or DEFAULT)
  mailbox.address, mailbox.always, mailbox.key = plain, always, key or '@'
  found[#found + 1] = mailbox
end

-- Return the mailboxes to which a message goes, each with its settings. Those that are always
-- reachable come first: a mailbox may also be named by its own address.
local function mailboxes_of(tables, recipients)
  local found = { seen = {}, count = 0, only_roles = true }
  for _, always in ipairs({ true, false }) do
    for _, recipient in ipairs(recipients) do
      local address = recipient.addr:lower()
      if (ROLES[address:match('^[^@+]*')] or false) == always then
        add_mailboxes(tables, address, nil, always, found)
        found.only_roles = found.only_roles and always
      end
    end
  end
  return found
end

-- Senders ----------------------------------------------------------------------------------------

local function domain_of(address)
  return address:match('@([^@]*)$') or ''
end

-- Return the organisation's domain (RFC 7489 section 3.2).
local function organisation(domain)
  return tostring(rspamd_util.get_tld(domain))
end

-- Return whether a valid DKIM signature aligns with a domain.
local function is_signed_by(task, domain)
  local symbol = (task:get_symbol('DKIM_TRACE') or {})[1]
  for _, option in ipairs((symbol or {}).options or {}) do
    local signer = option:match('^(.*):%+$')
    if signer and organisation(signer:lower()) == organisation(domain) then
      return true
    end
  end
  return false
end

-- Return the addresses of a message's senders, each with whether it is proved.
local function senders_of(task)
  local user = task:get_user() ~= nil
  local spf = task:has_symbol('R_SPF_ALLOW')
  local envelope = ((task:get_from('smtp') or {})[1] or {}).addr or ''
  local from = ((task:get_from('mime') or {})[1] or {}).addr or ''
  envelope, from = envelope:lower(), from:lower()
  local found = {}
  if from ~= '' then
    local domain = domain_of(from)
    local aligned = spf and organisation(domain_of(envelope)) == organisation(domain)
    found[#found + 1] = {
      address = from,
      proved = user or task:has_symbol('DMARC_POLICY_ALLOW') or aligned
          or is_signed_by(task, domain),
    }
  end
  if envelope ~= '' then
    found[#found + 1] = { address = envelope, proved = user or spf }
  end
  return found
end

-- Return the keys of the senders in a list, each with whether it is proved, the longest key first.
local function sender_keys(senders)
  local steps, deepest = {}, 0
  local function add(step, key, proved)
    steps[step] = steps[step] or {}
    table.insert(steps[step], { key = key, proved = proved })
    deepest = math.max(deepest, step)
  end
  for _, sender in ipairs(senders) do
    local domain, step = domain_of(sender.address), 3
    add(1, sender.address, sender.proved)
    add(2, '@' .. domain, sender.proved)
    while domain and domain ~= '' and step < 12 do
      add(step, '@.' .. domain, sender.proved)
      domain, step = domain:match('^[^.]*%.(.*)$'), step + 1
    end
  end
  local keys = {}
  for step = 1, deepest do
    for _, key in ipairs(steps[step] or {}) do
      keys[#keys + 1] = key
    end
  end
  return keys
end

-- Return a function that says what a scope's list has for the senders: 'allow', 'block' or nil, and
-- the entry. An allowed sender that is not proved does not count.
local function list_reader(lists, keys)
  local known = {}
  return function(scope)
    if known[scope] == nil then
      known[scope] = {}
      for _, one in ipairs(keys) do
        local value = find_line(lists, scope .. ' ' .. one.key)
        if value == 'block' or (value == 'allow' and one.proved) then
          known[scope] = { value = value, entry = scope .. ' ' .. one.key }
          break
        end
      end
    end
    return known[scope].value, known[scope].entry
  end
end

-- Return what the provider's list of networks has for the client: 'allow', 'block' or nil, and the
-- entry.
local function network_verdict(networks, ip)
  if not networks or networks.size == 0 or not (ip and ip:is_valid()) then
    return nil
  end
  for bits = ip:get_version() == 4 and 32 or 128, 0, -1 do
    local network = tostring(ip:apply_mask(bits)) .. '/' .. bits
    local value = find_line(networks, network)
    if value then
      return value, 'e ' .. network
    end
  end
  return nil
end

-- Policies ---------------------------------------------------------------------------------------

local function extension_of(name)
  return (name or ''):lower():match('%.([^.%s]+)[%s.]*$')
end

-- Return the names of the attachments of a message, and of the files in its archives.
local function file_names(part)
  local names = { part:get_filename() }
  if part:is_archive() then
    local archive = part:get_archive()
    for _, name in ipairs(archive and archive:get_files(1000) or {}) do
      names[#names + 1] = tostring(name)
    end
  end
  return names
end

-- Return why the settings do not accept an attachment, and the action for it.
local function attachment_verdict(task)
  for _, part in ipairs(task:get_parts() or {}) do
    for _, name in ipairs(file_names(part)) do
      local extension = extension_of(name)
      if extension and refused_extensions[extension] and options.attachments ~= 'accept' then
        return 'attachments of type .' .. extension .. ' are not accepted', options.attachments
      end
      if extension and MACRO_EXTENSIONS[extension] and options.macros ~= 'accept' then
        return 'documents with macros are not accepted', options.macros
      end
    end
    if options.macros ~= 'accept' and not part:is_multipart() and not part:is_text()
        and next(MACROS:match(part:get_content()) or {}) then
      return 'documents with macros are not accepted', options.macros
    end
  end
  return nil
end

-- Return the name of a virus in the message, or nil.
local function virus_of(task)
  local symbol = (task:get_symbol(VIRUS) or {})[1]
  return symbol and ((symbol.options or {})[1] or 'without a name')
end

-- Return whether a forwarder that is trusted saw the message with a valid DMARC result (RFC 8617).
local function is_vouched_for(task)
  if not task:has_symbol('ARC_ALLOW') then
    return false
  end
  local trusted = task:cache_get('arc_trusted_aar')
  for _, result in ipairs(trusted and trusted.ar or {}) do
    if result.dmarc == 'pass' then
      return true
    end
  end
  return false
end

-- Return what DMARC wants, 'junk' or 'reject', and the domain whose policy it is.
local function dmarc_verdict(task)
  for symbol, action in pairs({
    DMARC_POLICY_REJECT = options.dmarc_reject,
    DMARC_POLICY_QUARANTINE = options.dmarc_quarantine,
  }) do
    local result = (task:get_symbol(symbol) or {})[1]
    if result and action ~= 'annotate' then
      local domain = ((result.options or {})[1] or ''):match('^(%S+)') or 'its sender'
      if not exempt_domains[domain:lower()] and not is_vouched_for(task) then
        return action, domain
      end
    end
  end
  return nil
end

-- The message ------------------------------------------------------------------------------------

local function tenths_of(task)
  local score = (task:get_metric_score() or { 0 })[1]
  return math.floor(score * 10 + 0.001)
end

local function refuse(task, text)
  task:set_pre_result({ action = 'reject', message = text, module = N, priority = 10 })
end

local function defer(task, text)
  task:set_pre_result({ action = 'soft reject', message = text, module = N, priority = 10 })
end

-- Return the score and what it consists of, for people.
local function status_of(task, score)
  local symbols = task:get_symbols_all() or {}
  table.sort(symbols, function(one, other)
    return math.abs(one.score) > math.abs(other.score)
  end)
  local words = {}
  for _, symbol in ipairs(symbols) do
    if math.abs(symbol.score) >= 0.05 and #words < 20 then
      words[#words + 1] = string.format('%s %.1f', symbol.name, symbol.score)
    end
  end
  return string.format('%.1f (%s)', score / 10, table.concat(words, ', '))
end

local function folded(task, name, value)
  return lua_util.fold_header(task, name, value, ';,')
end

-- Before the checks: find the mailboxes, and at which score rspamd shall greylist.
local function prepare(task)
  local ip, user = task:get_ip(), task:get_user()
  if not user and ip and ip:is_local() then
    -- This host and the estate's nodes: another node, or submission, has filtered the message.
    task:set_pre_result({ action = 'no action', message = 'filtered before', module = N, priority = 10 })
    return
  end
  local tables = {
    aliases = open_table('postfix/virtual_alias_maps'),
    settings = open_table('filter/settings'),
    lists = open_table('filter/lists'),
    networks = open_table('filter/networks'),
  }
  local case = mailboxes_of(tables, task:get_recipients('smtp') or {})
  case.tables, case.outgoing = tables, user ~= nil
  task:cache_set(CASE, case)
  case.greylist, case.junk = 0, NEVER
  for _, mailbox in ipairs(case) do
    case.greylist = math.max(case.greylist, mailbox.always and NEVER or mailbox.greylist)
    case.junk = math.min(case.junk, mailbox.junk)
  end
  if case.outgoing or #case == 0 then
    case.greylist, case.junk = NEVER, NEVER
  end
  if case.greylist == NEVER then
    task:disable_symbol('GREYLIST_CHECK')
    task:disable_symbol('GREYLIST_SAVE')
  end
  task:set_settings({
    actions = { greylist = case.greylist / 10, ['add header'] = case.junk / 10, reject = NEVER },
  })
end

-- Note what one mailbox's lists say, and whether it refuses the message.
local function judge_mailbox(mailbox, read_list, networks, tenths, dmarc)
  for _, scope in ipairs(mailbox.scopes) do
    if not mailbox.list then
      mailbox.list, mailbox.entry = read_list(scope)
    end
  end
  if not mailbox.list then
    mailbox.list, mailbox.entry = networks.value, networks.entry
  end
  mailbox.refuses = not mailbox.always and mailbox.list ~= 'allow'
      and (mailbox.list == 'block' or dmarc == 'reject' or tenths >= mailbox.reject)
end

-- Filter all mailboxes. Return how many refuse, allow and block.
local function judge_mailboxes(task, case, tenths, dmarc)
  local read_list = list_reader(case.tables.lists, sender_keys(senders_of(task)))
  local networks = {}
  if not case.outgoing then
    networks.value, networks.entry = network_verdict(case.tables.networks, task:get_ip())
  end
  local many = { refuse = 0, allow = 0, block = 0 }
  for _, mailbox in ipairs(case) do
    if case.outgoing then
      mailbox.reject = score_of(options.outgoing_reject)
    end
    judge_mailbox(mailbox, read_list, networks, tenths, dmarc)
    many.refuse = many.refuse + (mailbox.refuses and 1 or 0)
    if mailbox.list then
      many[mailbox.list] = many[mailbox.list] + 1
    end
  end
  return many
end

-- Return why every recipient refuses the message, for the sender.
local function refusal_text(case, many, tenths, dmarc, domain)
  if many.block == #case then
    return 'Message refused: the recipient does not accept mail from this sender'
  end
  if dmarc == 'reject' then
    return 'Message refused: it is not authenticated as from ' .. domain
        .. ', whose DMARC policy asks to refuse it'
  end
  return string.format('Message refused as spam: score %.1f', tenths / 10)
end

-- Return the fields that tell the filter's verdict to Dovecot and to people.
local function verdict_fields(task, case, many, tenths, junk)
  local fields, all_allow = {}, many.allow == #case
  local function add_marks(name, list)
    local marks = {}
    for _, mailbox in ipairs(case) do
      if mailbox.list == list then
        marks[#marks + 1] = { value = '<' .. mailbox.address .. '>', order = -1 }
      end
    end
    if #marks > 0 then
      fields[name] = marks
    end
  end
  add_marks('X-Spam-Block', 'block')
  if case.outgoing then
    return fields
  end
  if not all_allow then
    add_marks('X-Spam-Allow', 'allow')
  end
  local shown = all_allow and 0 or math.min(math.max(tenths, 0), MOST)
  fields['X-Spam-Tenths'] = { value = tostring(shown), order = -1 }
  fields['X-Spam-Status'] = {
    value = folded(task, 'X-Spam-Status', status_of(task, tenths)),
    order = -1,
  }
  if junk and not all_allow then
    fields['X-Spam-Flag'] = { value = 'YES', order = -1 }
  end
  local results = auth_results.gen_auth_results(task)
  if results then
    fields['Authentication-Results'] = {
      value = folded(task, 'Authentication-Results', results),
      order = 0,
    }
  end
  return fields
end

-- Return why the content of the message is refused for all recipients, and whether it belongs into
-- Junk. What is for role addresses alone is not refused: people report viruses to them.
local function judge_content(task, case)
  local virus = virus_of(task)
  if case.only_roles then
    return nil, virus ~= nil
  end
  if virus then
    return 'Message refused: it has the virus ' .. virus
  end
  local text, action = attachment_verdict(task)
  if action == 'reject' then
    return 'Message refused: ' .. text
  end
  return nil, action == 'junk'
end

local function shown_score(tenths)
  return tenths >= NEVER and 'never' or string.format('%.1f', tenths / 10)
end

-- Write into the log what the settings of each mailbox decide. Each line names one mailbox only,
-- because what is decided for others is private to them. reseller.mail.why reads these lines.
local function log_verdicts(task, case, tenths, dmarc, content)
  for number, mailbox in ipairs(case) do
    if number > MOST_LOGGED then
      break
    end
    logger.messagex(
      task,
      'filtered qid: <%s>, to=<%s>, score=%s, junk=%s, reject=%s, greylist=%s, list=%s, dmarc=%s, content=%s, refuses=%s',
      task:get_queue_id() or 'undef',
      mailbox.address,
      shown_score(tenths),
      shown_score(case.outgoing and NEVER or mailbox.junk),
      shown_score(mailbox.always and NEVER or mailbox.reject),
      shown_score(case.outgoing and NEVER or mailbox.greylist),
      mailbox.list and mailbox.list .. ' ' .. mailbox.entry or 'none',
      dmarc or 'none',
      content or 'none',
      mailbox.refuses and 'yes' or 'no'
    )
  end
end

-- After the checks: refuse the message, or say how it is to be filed.
local function decide(task, case)
  local tenths = tenths_of(task)
  local dmarc, domain
  if not case.outgoing then
    dmarc, domain = dmarc_verdict(task)
  end
  local many = judge_mailboxes(task, case, tenths, dmarc)
  local refusal, junk = judge_content(task, case)
  log_verdicts(task, case, tenths, dmarc, refusal and 'reject' or junk and 'junk')
  if not refusal and #case > 0 and many.refuse == #case then
    refusal = refusal_text(case, many, tenths, dmarc, domain)
  end
  if refusal then
    refuse(task, refusal)
    return
  end
  if options.antivirus == 'defer' and task:has_symbol(NOT_SCANNED) and not case.only_roles then
    defer(task, 'The message cannot be scanned for viruses now, try again later')
    return
  end
  junk = junk or dmarc ~= nil
  if many.allow > 0 or tenths < case.greylist then
    -- rspamd's module would greylist whatever is not clean.
    task:disable_symbol('GREYLIST_SAVE')
  end
  if junk or many.allow == #case then
    task:set_pre_result({
      action = junk and 'add header' or 'no action',
      message = 'accepted',
      module = N,
      priority = 10,
    })
  end
  task:set_milter_reply({ add_headers = verdict_fields(task, case, many, tenths, junk) })
end

-- Decide about a message that has been prepared, and close its tables.
local function conclude(task)
  local case = task:cache_get(CASE)
  if case then
    decide(task, case)
    for _, opened in pairs(case.tables) do
      opened.file:close()
    end
  end
end

-- Run a step. If it fails, the message is deferred, so that it is never filtered without its settings.
local function guarded(step)
  return function(task)
    local done, message = pcall(step, task)
    if not done then
      logger.errx(task, 'cannot judge: %s', message)
      defer(task, 'The message cannot be filtered now, try again later')
    end
  end
end

rspamd_config:register_symbol({
  name = 'RESELLER_MAIL_SETTINGS',
  type = 'prefilter',
  priority = lua_util.symbols_priorities.top,
  flags = 'empty',
  callback = guarded(prepare),
})
rspamd_config:register_symbol({
  name = 'RESELLER_MAIL_VERDICT',
  type = 'postfilter',
  priority = lua_util.symbols_priorities.low,
  flags = 'empty,ignore_passthrough',
  callback = guarded(conclude),
})
