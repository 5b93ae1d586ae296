# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in German."""

from __future__ import annotations

TEXTS = {
    "language": "Deutsch",
    "title": "E-Mail für {domain}",
    "skip": "Zum Inhalt springen",
    "languages": "Sprachen",
    "contents": "Auf dieser Seite",
    "by": "E-Mail von {provider}",
    "help": "Hilfe",
    "status_page": "Läuft alles?",
    "for": "für {organisation}",
    "state_ok": "In Ordnung",
    "state_warn": "Bitte ansehen",
    "state_fail": "Zu tun",
    "state_blocked": "Wartet",
    "state_pending": "Entsteht",
    "state_unchecked": "Nicht geprüft",
    "state_na": "Nicht nötig",
    "state_suspended": "Gesperrt",
    "sum_live": "Alles ist in Ordnung. Die Domain ist bereit für E-Mail.",
    "sum_open": "Offene Punkte: {count} von {total}.",
    "sum_yours": "Davon bei Ihnen: {count}.",
    "sum_none_yours": "Keiner davon liegt bei Ihnen: Wir kümmern uns darum.",
    "sum_unchecked": "Es wurde noch nichts geprüft.",
    "sum_suspended_tenant": "Der Vertrag ist gesperrt.",
    "sum_suspended_domain": "Diese Domain ist gesperrt.",
    "suspended_accept": "E-Mail an diese Domain nehmen wir weiterhin an.",
    "suspended_relay": "E-Mail an diese Domain nehmen wir weiterhin an und geben sie weiter.",
    "suspended_hold": (
        "E-Mail an diese Domain bewahren wir auf und stellen sie zu, wenn die Sperre endet."
    ),
    "suspended_defer": (
        "Absender von E-Mail an diese Domain sollen es später noch einmal versuchen."
    ),
    "suspended_reject": "E-Mail an diese Domain wird abgelehnt.",
    "suspended_no_login": "Die Anmeldung an ihren Postfächern ist nicht möglich.",
    "sum_parked": (
        "Diese Domain hat keine Adressen. Sie sendet und empfängt keine E-Mail. Ihre Einträge"
        " zeigen das anderen."
    ),
    "suspended_keep": (
        "Einzurichten gibt es jetzt nichts. Lassen Sie die Einträge im DNS, wie sie sind, damit"
        " keine E-Mail verloren geht. Um die Sperre zu beenden, wenden Sie sich bitte an uns."
    ),
    "checked": "Zuletzt geprüft",
    "never": "nie",
    "refresh": (
        "Änderungen im DNS sind nach höchstens {ttl} überall sichtbar, hier mit der nächsten"
        " Prüfung."
    ),
    "minutes": "{count} Minuten",
    "hours": "{count} Stunden",
    "hour": "1 Stunde",
    "unverified": (
        "Dass diese Domain Ihnen gehört, haben wir noch nicht geprüft. Bis dahin nimmt sie hier"
        " keine E-Mail an; Einträge können Sie vorbereiten."
    ),
    "tenant_pending": (
        "Der Vertrag ist noch nicht aktiv. Die Einträge können Sie vorbereiten; danach wird hier"
        " E-Mail angenommen."
    ),
    "alias_of": "Ein anderer Name für {domain}: Jede Adresse gibt es unter beiden.",
    "golive": "Was noch zu tun ist",
    "golive_why": (
        "Alle geprüften Punkte, und wer sich kümmert. Sind alle in Ordnung, kann die Domain in"
        " Betrieb gehen."
    ),
    "golive_suspended": "Diese Punkte betreffen E-Mail, die weiterhin ankommt.",
    "golive_parked": (
        "Alle geprüften Punkte. Sie schützen den Namen vor gefälschter E-Mail. Solange die"
        " Domain keine Adressen hat, ist keiner davon nötig."
    ),
    "owner_tenant": "Sie",
    "owner_provider": "Wir",
    "point": "Punkt",
    "state": "Stand",
    "owner": "Wer",
    "done": "Erledigt: {count}",
    "optional": "empfohlen",
    "records": "DNS-Einträge",
    "managed": (
        "Diese Einträge veröffentlichen wir selbst. Sie müssen nichts tun; sie stehen hier, damit"
        " Sie sie sehen."
    ),
    "yours": (
        "Tragen Sie diese Einträge dort ein, wo das DNS von {zone} verwaltet wird. Kopieren Sie"
        " jeden Wert, wie er dasteht."
    ),
    "host": "Ihr DNS liegt bei {host}.",
    "host_link": "{host} öffnen",
    "host_unknown": (
        "Ihren DNS-Anbieter haben wir nicht erkannt. Hängt er .{zone} selbst an Namen an, tragen"
        " Sie die Namen ohne diese Endung ein."
    ),
    "host_apex_empty": (
        "Für {zone} selbst bleibt das Feld für den Namen leer; sonst tragen Sie den Namen wie"
        " gezeigt ein, ohne .{zone}."
    ),
    "host_apex_at": (
        "Für {zone} selbst tragen Sie als Namen @ ein, sonst den Namen wie gezeigt, ohne .{zone}."
    ),
    "host_split": (
        "Lange Texte müssen in mehreren Teilen in Anführungszeichen eingetragen werden; so sind sie"
        " hier gezeigt."
    ),
    "host_whole": (
        "Tragen Sie lange Texte in einem Stück und ohne Anführungszeichen ein; geteilt werden sie"
        " dort von selbst."
    ),
    "host_dot": "Namen als Wert brauchen den Punkt am Ende.",
    "host_lacks": (
        "Einträge der Art {types} lassen sich dort nicht anlegen. Sie sind empfohlen; E-Mail geht"
        " ohne sie."
    ),
    "note_proxy": (
        'Schalten Sie für diese Namen den Proxy aus ("Nur DNS"): E-Mail geht nicht durch ihn.'
    ),
    "note_plan": (
        "Je nach Paket lassen sich manche Arten von Einträgen nur für Subdomains oder gar nicht"
        " anlegen."
    ),
    "section_receive": "E-Mail empfangen",
    "section_send": "Senden, und es wird geglaubt",
    "section_secure": "E-Mail unterwegs",
    "section_find": "E-Mail-Programme finden ihre Server",
    "name": "Name",
    "type": "Typ",
    "value": "Wert",
    "priority": "Priorität",
    "weight": "Gewicht",
    "port": "Port",
    "target": "Ziel",
    "flags": "Flags",
    "tag": "Tag",
    "line": "Als Zeile einer Zonendatei",
    "folded": "Einträge zeigen: {count}",
    "full_name": "vollständig: {name}",
    "found": "Gefunden",
    "remedy": "Was zu tun ist",
    "copy": "Kopieren",
    "copy_what": "{what} kopieren",
    "copied": "Kopiert",
    "select": "Markiert: jetzt Strg+C drücken",
    "dkim_pending": (
        "Den Schlüssel für {selector} hat der Mailserver noch nicht erzeugt. Er kommt von selbst;"
        " der Eintrag steht dann hier."
    ),
    "key_generated": "erzeugt, noch nicht veröffentlicht",
    "key_published": "zu veröffentlichen; damit signiert wird, sobald alle Nameserver ihn zeigen",
    "key_active": "damit wird signiert",
    "key_retired": (
        "nicht mehr benutzt; lassen Sie den Eintrag stehen, bis alle E-Mails angekommen sind"
    ),
    "key_revoked": "widerrufen; lassen Sie den Eintrag, wie er ist",
    "key_removed": "der Eintrag kann gelöscht werden",
    "clients": "Einstellungen für E-Mail-Programme",
    "clients_auto": (
        "Die meisten Programme finden diese Einstellungen selbst, aus Adresse und Passwort."
    ),
    "clients_user": "Benutzername",
    "clients_user_is": "die vollständige Adresse, etwa {address}",
    "clients_password": "Das Passwort ist das des Postfachs.",
    "clients_relay": (
        "E-Mail für diese Domain wird hier angenommen und an {host} weitergegeben. Postfächer gibt"
        " es hier nicht, also auch keine Einstellungen."
    ),
    "clients_suspended": (
        "Solange die Domain gesperrt ist, können sich E-Mail-Programme nicht anmelden. Wenn die"
        " Sperre endet, stehen hier wieder die Einstellungen."
    ),
    "clients_parked": "Die Domain hat keine Postfächer, also auch keine Einstellungen.",
    "service": "Dienst",
    "server": "Server",
    "security": "Verschlüsselung",
    "secure_tls": "SSL/TLS",
    "secure_starttls": "STARTTLS",
    "service_imap": "Lesen (IMAP)",
    "service_pop3": "Abholen (POP3)",
    "service_submission": "Senden (SMTP)",
    "service_sieve": "Filterregeln (ManageSieve)",
    "preferred": "bevorzugt",
    "fallback": "nur wenn 465 nicht geht",
    "overview": "Alle Domains",
    "overview_why": "Was Aufmerksamkeit braucht, steht vorn.",
    "tenant": "Mandant",
    "domain": "Domain",
    "open_points": "Offen",
    "of_tenant": "beim Mandanten: {count}",
    "of_provider": "bei uns: {count}",
    "counted": "Domains: {domains}, Mandanten: {tenants}",
    "why_mx": "E-Mail für die Domain wird ihrem Mailserver zugestellt.",
    "why_backup_mx": "E-Mail wartet auf einem anderen Server, solange der Mailserver fehlt.",
    "why_null_mx": "Dieser Name nimmt keine E-Mail an, und Absender erfahren es sofort.",
    "why_spf": (
        "Sagt, welche Server für die Domain senden dürfen. Es darf nur einen solchen Eintrag geben."
    ),
    "why_null_spf": "Niemand sendet für diesen Namen, also kann es auch niemand vorgeben.",
    "why_dkim": "Der öffentliche Schlüssel, mit dem Empfänger unsere Signaturen prüfen.",
    "why_dmarc": "Sagt, was Empfänger mit gefälschter E-Mail tun, und wer Berichte bekommt.",
    "why_dmarc_grant": "Erlaubt, Berichte über eine andere Domain hierher zu senden.",
    "why_mta_sts": "Kündigt an, dass E-Mail an die Domain geprüfte Verschlüsselung braucht.",
    "why_mta_sts_address": "Führt zu dem Server, der diese Regel bereithält.",
    "why_tls_rpt": "Bittet Absender um Berichte über die Verschlüsselung.",
    "why_srv": (
        "Lässt E-Mail-Programme die Server finden, oder sagt, dass es einen Dienst nicht gibt."
    ),
    "why_autoconfig": "Lässt E-Mail-Programme ihre Einstellungen finden.",
    "why_autodiscover": "Lässt Outlook seine Einstellungen finden.",
    "why_client_address": "Der eigene Name der Domain für ihren Mailserver.",
    "why_caa": "Nur diese Stellen dürfen Zertifikate für den Namen ausstellen.",
    "why_tlsa": (
        "Der Schlüssel des Mailservers, damit Absender die Verschlüsselung über DNSSEC prüfen"
        " können."
    ),
    "why_provider_mx": "Postmaster und Abuse der Domain des Anbieters erreichen einen Menschen.",
    "why_provider_spf": (
        "Nennt alle Server, die für Mandanten senden; deren Einträge verweisen hierher."
    ),
    "why_node_spf": "Der Mailserver darf sich mit seinem eigenen Namen vorstellen.",
    "why_node_address": "Führt zum Mailserver.",
    "why_backup_mx_address": "Führt zum Ersatz-MX.",
    "why_ptr": "Die Adresse nennt ihren Server, wie es große Empfänger verlangen.",
    "purpose_mx": "MX: wohin E-Mail geht",
    "purpose_backup_mx": "Ersatz-MX",
    "purpose_null_mx": "Keine E-Mail für diesen Namen",
    "purpose_spf": "SPF: wer senden darf",
    "purpose_null_spf": "Niemand sendet für diesen Namen",
    "purpose_dkim": "DKIM: Signaturen",
    "purpose_dmarc": "DMARC: gegen Fälschungen",
    "purpose_dmarc_grant": "DMARC: Berichte über andere Domains",
    "purpose_mta_sts": "MTA-STS: Verschlüsselung verlangt",
    "purpose_mta_sts_address": "MTA-STS: Server der Regel",
    "purpose_tls_rpt": "TLS-RPT: Berichte über Verschlüsselung",
    "purpose_srv": "SRV: Dienste",
    "purpose_autoconfig": "Autoconfig",
    "purpose_autodiscover": "Autodiscover",
    "purpose_client_address": "Ihr eigener Servername",
    "purpose_caa": "CAA: Zertifikate",
    "purpose_tlsa": "TLSA: Verschlüsselung über DNSSEC",
    "purpose_provider_mx": "MX des Anbieters",
    "purpose_provider_spf": "SPF des Anbieters",
    "purpose_node_spf": "SPF des Mailservers",
    "purpose_node_address": "Adresse des Mailservers",
    "purpose_backup_mx_address": "Adresse des Ersatz-MX",
    "purpose_ptr": "Rückwärtsname",
    "check_access": "Zugang mit E-Mail-Programmen",
    "check_dns": "DNS im Allgemeinen",
    "check_dns_servers": "Die Nameserver antworten",
    "check_dns_mx_target": "Der MX führt zu einem echten Server",
    "check_dns_mta_sts_policy": "Die MTA-STS-Regel ist abrufbar",
    "check_dns_settings": "E-Mail-Programme bekommen ihre Einstellungen",
    "check_dns_resolver": "DNS konnte gefragt werden",
    "check_dns_propagating": "Alle Nameserver haben die letzte Änderung",
    "check_dns_dnssec": "Die Zone ist signiert (DNSSEC)",
    "check_dns_wildcard": "Kein Platzhalter-Eintrag antwortet für andere Namen",
    "check_dns_cname": "CNAME-Einträge führen zu einem Server",
    "check_dns_leftover": "Vom vorigen Anbieter ist nichts übrig",
    "check_dns_node_address": "Adresse des Mailservers",
    "check_dns_node_spf": "SPF des Mailservers",
    "check_dns_caa": "Zertifikate des Mailservers (CAA)",
    "check_dns_fcrdns": "Rückwärtsname des Mailservers",
    "check_dns_tlsa": "Schlüssel des Mailservers im DNS",
    "check_mail": "E-Mail fließt",
    "check_mail_deliver": "E-Mail kommt an",
    "check_mail_dkim": "E-Mail ist signiert",
    "check_mail_unknown_refused": "Unbekannte Adressen werden abgewiesen",
    "check_quota": "Platz in den Postfächern",
    "check_verify": "Die Prüfung selbst",
    # findings: remedies, and what is wrong in words
    "remove": "Diesen Eintrag löschen",
    "removes": "Diese Einträge löschen",
    "enter": "Diesen Eintrag anlegen",
    "enter_below": "Den Eintrag anlegen, der hier folgt.",
    "others": "Weiteres in Ihrem DNS",
    "wrong_dns.servers_none": "Die Domain gibt es nicht, oder niemand bedient sie.",
    "wrong_dns.servers_silent": "Ein Nameserver antwortet nicht.",
    "wrong_dns.servers_lame": "Ein Nameserver ist eingetragen, der die Domain nicht kennt.",
    "wrong_dns.servers_few": "Die Domain hat weniger als zwei Nameserver.",
    "wrong_dns.servers_no_ipv6": "Weniger als zwei Nameserver sind über IPv6 erreichbar.",
    "wrong_dns.servers_no_tcp": (
        "Ein Nameserver nimmt keine Anfragen über TCP an; lange Antworten kommen so nicht an."
    ),
    "wrong_dns.propagating": (
        "Die Nameserver sagen noch nicht alle dasselbe: Eine Änderung ist unterwegs."
    ),
    "wrong_dns.dnssec_unsigned": "Die Domain ist nicht mit DNSSEC signiert.",
    "wrong_dns.dnssec_no_ds": "Die Domain ist signiert, aber beim Registrar fehlt der DS-Eintrag.",
    "wrong_dns.dnssec_no_key": (
        "Beim Registrar steht ein DS-Eintrag, aber die Domain ist nicht signiert. Für viele ist sie"
        " so nicht erreichbar."
    ),
    "wrong_dns.dnssec_expired": (
        "Die Signaturen der Domain sind abgelaufen. Für viele ist sie so nicht erreichbar."
    ),
    "wrong_dns.dnssec_bogus": (
        "Die Signaturen passen nicht zum DS-Eintrag beim Registrar. Für viele ist die Domain so"
        " nicht erreichbar."
    ),
    "wrong_dns.wildcard": (
        "Ein Platzhalter-Eintrag (*) antwortet für jeden Namen. Was fehlt, scheint dann da zu sein."
    ),
    "wrong_dns.cname_apex": "Die Domain selbst ist ein CNAME. So kann sie keine E-Mail bekommen.",
    "wrong_dns.cname_loop": "Ein CNAME führt im Kreis.",
    "wrong_dns.mx_missing": "Der MX-Eintrag fehlt: E-Mail kommt nicht an.",
    "wrong_dns.mx_foreign": "E-Mail geht an einen anderen Anbieter.",
    "wrong_dns.mx_extra": "Ein weiterer MX-Eintrag leitet E-Mail auch woandershin.",
    "wrong_dns.mx_leftover": (
        "Der MX-Eintrag des früheren Anbieters ist noch da. Ein Teil der E-Mail geht dorthin."
    ),
    "wrong_dns.mx_priority": "Die Reihenfolge der MX-Einträge stimmt nicht.",
    "wrong_dns.mx_backup": "Der zweite MX-Eintrag fehlt.",
    "wrong_dns.mx_null": "Die Domain sagt, dass sie keine E-Mail annimmt.",
    "wrong_dns.mx_null_mixed": (
        "Ein Eintrag sagt, dass die Domain keine E-Mail annimmt, andere sagen das Gegenteil."
    ),
    "wrong_dns.mx_cname": "Der MX nennt einen CNAME. Das ist nicht erlaubt.",
    "wrong_dns.mx_address": "Der MX nennt eine Adresse statt eines Namens.",
    "wrong_dns.mx_unresolved": "Der MX nennt einen Host, den es nicht gibt.",
    "wrong_dns.null_mx_missing": (
        "Der Eintrag fehlt, der sagt, dass dieser Name keine E-Mail annimmt."
    ),
    "wrong_dns.null_mx_other": "Dieser Name nimmt keine E-Mail an, hat aber einen MX-Eintrag.",
    "wrong_dns.spf_missing": "Der SPF-Eintrag fehlt.",
    "wrong_dns.spf_two": "Es gibt mehrere SPF-Einträge. Empfänger glauben dann keinem.",
    "wrong_dns.spf_type99": (
        "Es gibt einen SPF-Eintrag vom veralteten Typ SPF. Niemand liest ihn mehr."
    ),
    "wrong_dns.spf_lookups": (
        "Der SPF-Eintrag braucht mehr als zehn DNS-Abfragen. Empfänger glauben ihm dann nicht."
    ),
    "wrong_dns.spf_void": (
        "Der SPF-Eintrag nennt Namen, die es nicht mehr gibt. Empfänger glauben ihm dann nicht."
    ),
    "wrong_dns.spf_syntax": "Der SPF-Eintrag hat einen Fehler und kann nicht gelesen werden.",
    "wrong_dns.spf_any_host": "Der SPF-Eintrag erlaubt jedem, für die Domain zu senden.",
    "wrong_dns.spf_ptr": "Der SPF-Eintrag benutzt ptr. Viele Empfänger beachten das nicht.",
    "wrong_dns.spf_sender": "Der SPF-Eintrag erlaubt unseren Hosts nicht zu senden.",
    "wrong_dns.spf_tail": "Der SPF-Eintrag endet anders, als er soll.",
    "wrong_dns.spf_leftover": "Der frühere Anbieter darf noch für die Domain senden.",
    "wrong_dns.null_spf_missing": (
        "Der Eintrag fehlt, der sagt, dass niemand für diesen Namen sendet."
    ),
    "wrong_dns.null_spf_other": (
        "Ein SPF-Eintrag erlaubt, für diesen Namen zu senden, oder es gibt mehrere."
    ),
    "wrong_dns.dkim_none": "Es gibt noch keinen DKIM-Schlüssel.",
    "wrong_dns.dkim_missing": "Ein DKIM-Schlüssel fehlt.",
    "wrong_dns.dkim_ed25519_missing": "Der zweite DKIM-Schlüssel (Ed25519) fehlt.",
    "wrong_dns.dkim_selector": "Der DKIM-Schlüssel steht unter einem anderen Namen.",
    "wrong_dns.dkim_other": (
        "Es steht ein anderer DKIM-Schlüssel da als der, mit dem wir signieren."
    ),
    "wrong_dns.dkim_revoked": "Der DKIM-Schlüssel ist widerrufen (p= ist leer).",
    "wrong_dns.dkim_two": "Unter einem Namen stehen mehrere DKIM-Schlüssel.",
    "wrong_dns.dkim_short": "Der DKIM-Schlüssel ist zu kurz.",
    "wrong_dns.dkim_broken": (
        "Was da steht, ist kein DKIM-Schlüssel. Oft wurde er nicht ganz kopiert."
    ),
    "wrong_dns.dkim_testing": "Der DKIM-Schlüssel sagt, dass er nur zum Test da ist (t=y).",
    "wrong_dns.dkim_unrevoked": "Ein widerrufener DKIM-Schlüssel ist noch gültig.",
    "wrong_dns.dkim_removed": "Ein DKIM-Schlüssel, den niemand mehr braucht, ist noch da.",
    "wrong_dns.dkim_pending": "Der DKIM-Schlüssel wird noch gemacht.",
    "wrong_dns.dkim_unsigned": "Wir signieren noch nicht mit dem neuen DKIM-Schlüssel.",
    "wrong_dns.dkim_hidden": (
        "Ihr DNS-Anbieter bestreitet, dass es _domainkey gibt. Manche Empfänger suchen den"
        " DKIM-Schlüssel darunter dann nicht."
    ),
    "wrong_dns.dmarc_missing": "Der DMARC-Eintrag fehlt.",
    "wrong_dns.dmarc_two": "Es gibt mehrere DMARC-Einträge. Empfänger glauben dann keinem.",
    "wrong_dns.dmarc_syntax": "Der DMARC-Eintrag hat einen Fehler und kann nicht gelesen werden.",
    "wrong_dns.dmarc_obsolete": "Der DMARC-Eintrag enthält Angaben, die es nicht mehr gibt.",
    "wrong_dns.dmarc_policy": "Der DMARC-Eintrag verlangt etwas anderes, als vereinbart ist.",
    "wrong_dns.dmarc_subdomains": (
        "Der DMARC-Eintrag sagt über Subdomains etwas anderes, als vereinbart ist."
    ),
    "wrong_dns.dmarc_no_reports": "Niemand bekommt Berichte, weil rua= fehlt.",
    "wrong_dns.dmarc_unreported": (
        "Niemand bekommt DMARC-Berichte. Ohne sie kann die Richtlinie nicht strenger werden."
    ),
    "wrong_dns.dmarc_unauthorised": (
        "Berichte gehen an eine Domain, die dem nicht zugestimmt hat. Sie werden also nicht"
        " gesendet."
    ),
    "wrong_dns.dmarc_no_mailbox": "Berichte gehen an eine Adresse, die es hier nicht gibt.",
    "wrong_dns.dmarc_grant_missing": "Die Erlaubnis fehlt, Berichte hierher zu senden.",
    "wrong_dns.mta_sts_missing": "Die MTA-STS-Ankündigung fehlt.",
    "wrong_dns.mta_sts_two": "Es gibt mehrere MTA-STS-Einträge. Absender beachten dann keinen.",
    "wrong_dns.mta_sts_syntax": (
        "Der MTA-STS-Eintrag hat einen Fehler und kann nicht gelesen werden."
    ),
    "wrong_dns.mta_sts_id": (
        "Die id= ist veraltet: Absender merken nicht, dass sich etwas geändert hat."
    ),
    "wrong_dns.tls_rpt_missing": (
        "Der TLS-RPT-Eintrag fehlt: Niemand erfährt von Fehlern der Verschlüsselung."
    ),
    "wrong_dns.tls_rpt_unreported": (
        "Niemand bekommt Berichte über die Verschlüsselung. Ohne sie kann MTA-STS nicht strenger"
        " werden."
    ),
    "wrong_dns.tls_rpt_two": "Es gibt mehrere TLS-RPT-Einträge. Dann kommen keine Berichte.",
    "wrong_dns.tls_rpt_syntax": (
        "Der TLS-RPT-Eintrag hat einen Fehler und kann nicht gelesen werden."
    ),
    "wrong_dns.tls_rpt_no_mailbox": "Berichte gehen an eine Adresse, die es hier nicht gibt.",
    "wrong_dns.srv_missing": "Ein SRV-Eintrag fehlt.",
    "wrong_dns.srv_target": "Ein SRV-Eintrag führt Mailprogramme zu einem anderen Server.",
    "wrong_dns.srv_offered": "Ein SRV-Eintrag nennt einen Dienst, den es hier nicht gibt.",
    "wrong_dns.autoconfig_missing": "Der Name fehlt.",
    "wrong_dns.autoconfig_elsewhere": (
        "Der Name führt woandershin. Mailprogramme könnten Passwörter dorthin senden."
    ),
    "wrong_dns.autodiscover_missing": "Der Name oder sein SRV-Eintrag fehlt.",
    "wrong_dns.autodiscover_elsewhere": (
        "Der Name führt woandershin. Outlook könnte Passwörter dorthin senden."
    ),
    "wrong_dns.address_missing": "Der Name hat keine Adresse.",
    "wrong_dns.address_elsewhere": "Der Name führt zu einem anderen Host.",
    "wrong_dns.address_cname": "Der Name ist ein CNAME. Daneben darf nichts anderes stehen.",
    "wrong_dns.caa_missing": (
        "Ohne CAA-Eintrag darf jede Zertifizierungsstelle Zertifikate ausstellen."
    ),
    "wrong_dns.caa_forbids": "Unsere Zertifizierungsstelle darf kein Zertifikat ausstellen.",
    "wrong_dns.leftover_autodiscover": "Outlook wird noch zum früheren Anbieter geführt.",
    "wrong_dns.leftover_dkim": (
        "Der Schlüssel des früheren Anbieters ist noch gültig: Er könnte für die Domain signieren."
    ),
}
