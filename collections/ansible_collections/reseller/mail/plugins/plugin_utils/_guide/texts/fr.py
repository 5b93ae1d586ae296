# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in French."""

from __future__ import annotations

TEXTS = {
    "language": "Français",
    "title": "Courriel de {domain}",
    "skip": "Aller au contenu",
    "languages": "Langues",
    "contents": "Sur cette page",
    "by": "Courriel par {provider}",
    "help": "Obtenir de l'aide",
    "status_page": "Tout fonctionne-t-il ?",
    "for": "pour {organisation}",
    "state_ok": "En ordre",
    "state_warn": "À regarder",
    "state_fail": "À faire",
    "state_blocked": "En attente",
    "state_pending": "En préparation",
    "state_unchecked": "Non vérifié",
    "state_na": "Pas nécessaire",
    "state_suspended": "Suspendu",
    "sum_live": "Tout est en ordre. Le domaine est prêt pour le courriel.",
    "sum_open": "Points ouverts : {count} sur {total}.",
    "sum_yours": "Dont à vous : {count}.",
    "sum_none_yours": "Aucun ne vous revient : nous nous en occupons.",
    "sum_unchecked": "Rien n'a encore été vérifié.",
    "sum_suspended_tenant": "Le contrat est suspendu.",
    "sum_suspended_domain": "Ce domaine est suspendu.",
    "suspended_accept": "Nous recevons toujours le courriel de ce domaine.",
    "suspended_relay": "Nous recevons toujours le courriel de ce domaine et le transmettons.",
    "suspended_hold": (
        "Nous conservons le courriel de ce domaine et le remettrons à la fin de la suspension."
    ),
    "suspended_defer": "Les expéditeurs de courriel à ce domaine doivent réessayer plus tard.",
    "suspended_reject": "Le courriel à ce domaine est refusé.",
    "suspended_no_login": "Personne ne peut se connecter à ses boîtes.",
    "sum_parked": (
        "Ce domaine n'a pas d'adresse. Il n'envoie et ne reçoit pas de courriel. Ses"
        " enregistrements le montrent aux autres."
    ),
    "suspended_keep": (
        "Il n'y a rien à configurer pour le moment. Laissez les enregistrements DNS tels quels,"
        " afin qu'aucun courriel ne soit perdu. Pour mettre fin à la suspension, adressez-vous à"
        " nous."
    ),
    "checked": "Dernière vérification",
    "never": "jamais",
    "refresh": (
        "Les changements du DNS sont visibles partout après {ttl} au plus, et ici à la prochaine"
        " vérification."
    ),
    "minutes": "{count} minutes",
    "hours": "{count} heures",
    "hour": "1 heure",
    "unverified": (
        "Nous n'avons pas encore vérifié que ce domaine est le vôtre. D'ici là, il ne reçoit pas de"
        " courriel ici ; vous pouvez préparer ses données."
    ),
    "tenant_pending": (
        "Le contrat n'est pas encore actif. Vous pouvez préparer les données ; le courriel sera"
        " reçu ici ensuite."
    ),
    "alias_of": "Un autre nom de {domain} : chaque adresse existe sous les deux.",
    "golive": "Ce qui reste à faire",
    "golive_why": (
        "Tous les points vérifiés, et qui s'en occupe. Quand tous sont en ordre, le domaine peut"
        " être mis en service."
    ),
    "golive_suspended": "Ces points concernent le courriel qui arrive toujours.",
    "golive_parked": (
        "Tous les points vérifiés. Ils protègent le nom contre le courriel falsifié. Aucun"
        " n'est nécessaire tant que le domaine n'a pas d'adresse."
    ),
    "owner_tenant": "Vous",
    "owner_provider": "Nous",
    "point": "Point",
    "state": "État",
    "owner": "Qui",
    "done": "Faits : {count}",
    "optional": "recommandé",
    "records": "Enregistrements DNS",
    "managed": (
        "Nous publions ces enregistrements nous-mêmes. Vous n'avez rien à faire ; ils figurent ici"
        " pour que vous puissiez les voir."
    ),
    "yours": (
        "Saisissez ces enregistrements là où le DNS de {zone} est géré. Copiez chaque valeur telle"
        " quelle."
    ),
    "host": "Votre DNS est chez {host}.",
    "host_link": "Ouvrir {host}",
    "host_unknown": (
        "Nous n'avons pas reconnu votre hébergeur DNS. S'il ajoute lui-même .{zone} aux noms,"
        " saisissez les noms sans cette fin."
    ),
    "host_apex_empty": (
        "Laissez le champ du nom vide pour {zone} même ; sinon saisissez le nom tel quel, sans"
        " .{zone}."
    ),
    "host_apex_at": "Saisissez @ comme nom pour {zone} même ; sinon le nom tel quel, sans .{zone}.",
    "host_split": (
        "Les textes longs se saisissent en plusieurs parties entre guillemets ; ils sont montrés"
        " ainsi."
    ),
    "host_whole": (
        "Saisissez les textes longs d'un seul tenant, sans guillemets ; ils sont découpés là-bas."
    ),
    "host_dot": "Les noms donnés comme valeur ont besoin du point final.",
    "host_lacks": (
        "Les enregistrements {types} n'y sont pas possibles. Ils sont recommandés ; le courriel"
        " fonctionne sans eux."
    ),
    "note_proxy": (
        'Désactivez le proxy pour ces noms ("DNS uniquement") : le courriel ne passe pas par lui.'
    ),
    "note_plan": (
        "Selon votre offre, certains types ne sont possibles que pour des sous-domaines, ou pas du"
        " tout."
    ),
    "section_receive": "Recevoir du courriel",
    "section_send": "Envoyer, et être cru",
    "section_secure": "Le courriel en chemin",
    "section_find": "Les logiciels trouvent leurs serveurs",
    "name": "Nom",
    "type": "Type",
    "value": "Valeur",
    "priority": "Priorité",
    "weight": "Poids",
    "port": "Port",
    "target": "Cible",
    "flags": "Drapeaux",
    "tag": "Étiquette",
    "line": "En ligne de fichier de zone",
    "folded": "Afficher les enregistrements : {count}",
    "full_name": "complet : {name}",
    "found": "Trouvé",
    "remedy": "Que faire",
    "copy": "Copier",
    "copy_what": "Copier : {what}",
    "copied": "Copié",
    "select": "Sélectionné : appuyez sur Ctrl+C",
    "dkim_pending": (
        "Le serveur n'a pas encore créé la clé de {selector}. Elle vient d'elle-même ;"
        " l'enregistrement figurera alors ici."
    ),
    "key_generated": "créée, pas encore publiée",
    "key_published": "à publier ; elle signera dès que tous les serveurs de noms la montrent",
    "key_active": "le courriel est signé avec elle",
    "key_retired": (
        "plus utilisée ; laissez l'enregistrement jusqu'à l'arrivée du courriel en chemin"
    ),
    "key_revoked": "révoquée ; laissez l'enregistrement tel quel",
    "key_removed": "l'enregistrement peut être supprimé",
    "clients": "Réglages des logiciels de courriel",
    "clients_auto": (
        "La plupart des logiciels trouvent ces réglages eux-mêmes, à partir de l'adresse et du mot"
        " de passe."
    ),
    "clients_user": "Nom d'utilisateur",
    "clients_user_is": "l'adresse complète, par exemple {address}",
    "clients_password": "Le mot de passe est celui de la boîte.",
    "clients_relay": (
        "Le courriel de ce domaine est reçu ici et transmis à {host}. Il n'y a pas de boîtes ici,"
        " donc pas de réglages."
    ),
    "clients_suspended": (
        "Les logiciels de messagerie ne peuvent pas se connecter tant que le domaine est"
        " suspendu. Les réglages réapparaîtront ici à la fin de la suspension."
    ),
    "clients_parked": "Le domaine n'a pas de boîtes, donc pas de réglages.",
    "service": "Service",
    "server": "Serveur",
    "security": "Chiffrement",
    "secure_tls": "SSL/TLS",
    "secure_starttls": "STARTTLS",
    "service_imap": "Lire (IMAP)",
    "service_pop3": "Relever (POP3)",
    "service_submission": "Envoyer (SMTP)",
    "service_sieve": "Règles de tri (ManageSieve)",
    "preferred": "de préférence",
    "fallback": "seulement si 465 ne marche pas",
    "overview": "Tous les domaines",
    "overview_why": "Ce qui demande de l'attention vient d'abord.",
    "tenant": "Client",
    "domain": "Domaine",
    "open_points": "Ouverts",
    "of_tenant": "au client : {count}",
    "of_provider": "à nous : {count}",
    "counted": "Domaines : {domains}, clients : {tenants}",
    "why_mx": "Le courriel du domaine est remis à son serveur.",
    "why_backup_mx": "Le courriel attend sur un autre serveur tant que le premier est absent.",
    "why_null_mx": "Ce nom ne reçoit pas de courriel, et les expéditeurs l'apprennent aussitôt.",
    "why_spf": "Dit quels serveurs peuvent envoyer pour le domaine. Il ne peut y en avoir qu'un.",
    "why_null_spf": "Personne n'envoie pour ce nom, donc personne ne peut le prétendre.",
    "why_dkim": "La clé publique avec laquelle les destinataires vérifient nos signatures.",
    "why_dmarc": (
        "Dit ce que les destinataires font du courriel falsifié, et qui reçoit des rapports."
    ),
    "why_dmarc_grant": "Permet d'envoyer ici des rapports sur un autre domaine.",
    "why_mta_sts": "Annonce que le courriel vers le domaine exige un chiffrement vérifié.",
    "why_mta_sts_address": "Mène au serveur qui tient cette règle à disposition.",
    "why_tls_rpt": "Demande aux expéditeurs des rapports sur le chiffrement.",
    "why_srv": "Permet aux logiciels de trouver les serveurs, ou dit qu'un service n'existe pas.",
    "why_autoconfig": "Permet aux logiciels de trouver leurs réglages.",
    "why_autodiscover": "Permet à Outlook de trouver ses réglages.",
    "why_client_address": "Le nom propre au domaine pour son serveur de courriel.",
    "why_caa": "Seules ces autorités peuvent émettre des certificats pour ce nom.",
    "why_tlsa": "La clé du serveur, pour que les expéditeurs vérifient le chiffrement par DNSSEC.",
    "why_provider_mx": (
        "Le postmaster et l'adresse abuse du domaine de l'hébergeur joignent une personne."
    ),
    "why_provider_spf": (
        "Nomme tous les serveurs qui envoient pour les clients ; leurs données y renvoient."
    ),
    "why_node_spf": "Le serveur peut se présenter sous son propre nom.",
    "why_node_address": "Mène au serveur de courriel.",
    "why_backup_mx_address": "Mène au MX de secours.",
    "why_ptr": "L'adresse nomme son serveur, comme l'exigent les grands destinataires.",
    "purpose_mx": "MX : où va le courriel",
    "purpose_backup_mx": "MX de secours",
    "purpose_null_mx": "Pas de courriel pour ce nom",
    "purpose_spf": "SPF : qui peut envoyer",
    "purpose_null_spf": "Personne n'envoie pour ce nom",
    "purpose_dkim": "DKIM : signatures",
    "purpose_dmarc": "DMARC : contre les faux",
    "purpose_dmarc_grant": "DMARC : rapports d'autres domaines",
    "purpose_mta_sts": "MTA-STS : chiffrement exigé",
    "purpose_mta_sts_address": "MTA-STS : serveur de la règle",
    "purpose_tls_rpt": "TLS-RPT : rapports sur le chiffrement",
    "purpose_srv": "SRV : services",
    "purpose_autoconfig": "Autoconfig",
    "purpose_autodiscover": "Autodiscover",
    "purpose_client_address": "Votre propre nom de serveur",
    "purpose_caa": "CAA : certificats",
    "purpose_tlsa": "TLSA : chiffrement par DNSSEC",
    "purpose_provider_mx": "MX de l'hébergeur",
    "purpose_provider_spf": "SPF de l'hébergeur",
    "purpose_node_spf": "SPF du serveur",
    "purpose_node_address": "Adresse du serveur",
    "purpose_backup_mx_address": "Adresse du MX de secours",
    "purpose_ptr": "Nom inverse",
    "check_access": "Accès avec un logiciel de courriel",
    "check_dns": "DNS en général",
    "check_dns_servers": "Les serveurs de noms répondent",
    "check_dns_mx_target": "Le MX mène à un vrai serveur",
    "check_dns_mta_sts_policy": "La règle MTA-STS peut être lue",
    "check_dns_settings": "Les logiciels reçoivent leurs réglages",
    "check_dns_resolver": "Le DNS a pu être interrogé",
    "check_dns_propagating": "Tous les serveurs de noms ont le dernier changement",
    "check_dns_dnssec": "La zone est signée (DNSSEC)",
    "check_dns_wildcard": "Aucun enregistrement générique ne répond pour d'autres noms",
    "check_dns_cname": "Les enregistrements CNAME mènent à un serveur",
    "check_dns_leftover": "Il ne reste rien de l'hébergeur précédent",
    "check_dns_node_address": "L'adresse du serveur",
    "check_dns_node_spf": "SPF du serveur",
    "check_dns_caa": "Les certificats du serveur (CAA)",
    "check_dns_fcrdns": "Le nom inverse du serveur",
    "check_dns_tlsa": "Les clés du serveur dans le DNS",
    "check_mail": "Le courriel circule",
    "check_mail_deliver": "Le courriel arrive",
    "check_mail_dkim": "Le courriel est signé",
    "check_mail_unknown_refused": "Les adresses inconnues sont refusées",
    "check_quota": "Place dans les boîtes",
    "check_verify": "La vérification elle-même",
    # findings: remedies, and what is wrong in words
    "remove": "Supprimer cet enregistrement",
    "removes": "Supprimer ces enregistrements",
    "enter": "Saisir cet enregistrement",
    "enter_below": "Saisir l'enregistrement qui suit.",
    "others": "Autres points de votre DNS",
    "wrong_dns.servers_none": "Le domaine n'existe pas, ou personne ne le sert.",
    "wrong_dns.servers_silent": "Un serveur de noms ne répond pas.",
    "wrong_dns.servers_lame": "Un serveur de noms indiqué ne connaît pas le domaine.",
    "wrong_dns.servers_few": "Le domaine a moins de deux serveurs de noms.",
    "wrong_dns.servers_no_ipv6": "Moins de deux serveurs de noms sont joignables en IPv6.",
    "wrong_dns.servers_no_tcp": (
        "Un serveur de noms refuse TCP ; les réponses longues n'arrivent pas."
    ),
    "wrong_dns.propagating": (
        "Les serveurs de noms ne disent pas encore tous la même chose : un changement est en route."
    ),
    "wrong_dns.dnssec_unsigned": "Le domaine n'est pas signé avec DNSSEC.",
    "wrong_dns.dnssec_no_ds": (
        "Le domaine est signé, mais l'enregistrement DS manque chez le registraire."
    ),
    "wrong_dns.dnssec_no_key": (
        "Le registraire a un enregistrement DS, mais le domaine n'est pas signé. Pour beaucoup, il"
        " est injoignable."
    ),
    "wrong_dns.dnssec_expired": (
        "Les signatures du domaine ont expiré. Pour beaucoup, il est injoignable."
    ),
    "wrong_dns.dnssec_bogus": (
        "Les signatures ne correspondent pas à l'enregistrement DS du registraire. Pour beaucoup,"
        " le domaine est injoignable."
    ),
    "wrong_dns.wildcard": (
        "Un enregistrement générique (*) répond pour tous les noms. Ce qui manque semble alors"
        " exister."
    ),
    "wrong_dns.cname_apex": (
        "Le domaine lui-même est un CNAME. Il ne peut pas recevoir de courriel."
    ),
    "wrong_dns.cname_loop": "Un CNAME mène à lui-même.",
    "wrong_dns.mx_missing": "L'enregistrement MX manque : le courriel n'arrive pas.",
    "wrong_dns.mx_foreign": "Le courriel va chez un autre fournisseur.",
    "wrong_dns.mx_extra": "Un autre enregistrement MX mène aussi le courriel ailleurs.",
    "wrong_dns.mx_leftover": (
        "L'enregistrement MX de l'ancien fournisseur est encore là. Une partie du courriel y va."
    ),
    "wrong_dns.mx_priority": "L'ordre des enregistrements MX n'est pas le bon.",
    "wrong_dns.mx_backup": "Le deuxième enregistrement MX manque.",
    "wrong_dns.mx_null": "Le domaine dit qu'il n'accepte pas de courriel.",
    "wrong_dns.mx_null_mixed": (
        "Un enregistrement dit que le domaine n'accepte pas de courriel, d'autres disent le"
        " contraire."
    ),
    "wrong_dns.mx_cname": "Le MX désigne un CNAME. Ce n'est pas permis.",
    "wrong_dns.mx_address": "Le MX désigne une adresse au lieu d'un nom.",
    "wrong_dns.mx_unresolved": "Le MX désigne un hôte qui n'existe pas.",
    "wrong_dns.null_mx_missing": (
        "L'enregistrement qui dit que ce nom n'accepte pas de courriel manque."
    ),
    "wrong_dns.null_mx_other": "Ce nom n'accepte pas de courriel, mais il a un enregistrement MX.",
    "wrong_dns.spf_missing": "L'enregistrement SPF manque.",
    "wrong_dns.spf_two": (
        "Il y a plusieurs enregistrements SPF. Les destinataires n'en croient alors aucun."
    ),
    "wrong_dns.spf_type99": (
        "Il y a un enregistrement de l'ancien type SPF. Plus personne ne le lit."
    ),
    "wrong_dns.spf_lookups": (
        "L'enregistrement SPF demande plus de dix requêtes DNS. Les destinataires ne le croient"
        " alors pas."
    ),
    "wrong_dns.spf_void": (
        "L'enregistrement SPF cite des noms qui n'existent plus. Les destinataires ne le croient"
        " alors pas."
    ),
    "wrong_dns.spf_syntax": "L'enregistrement SPF contient une erreur et ne peut pas être lu.",
    "wrong_dns.spf_any_host": (
        "L'enregistrement SPF permet à n'importe qui d'envoyer pour le domaine."
    ),
    "wrong_dns.spf_ptr": "L'enregistrement SPF utilise ptr. Beaucoup de destinataires l'ignorent.",
    "wrong_dns.spf_sender": "L'enregistrement SPF ne permet pas à nos hôtes d'envoyer.",
    "wrong_dns.spf_tail": "L'enregistrement SPF ne se termine pas comme il le devrait.",
    "wrong_dns.spf_leftover": "L'ancien fournisseur peut encore envoyer pour le domaine.",
    "wrong_dns.null_spf_missing": (
        "L'enregistrement qui dit que personne n'envoie pour ce nom manque."
    ),
    "wrong_dns.null_spf_other": (
        "Un enregistrement SPF permet d'envoyer pour ce nom, ou il y en a plusieurs."
    ),
    "wrong_dns.dkim_none": "Il n'y a pas encore de clé DKIM.",
    "wrong_dns.dkim_missing": "Une clé DKIM manque.",
    "wrong_dns.dkim_ed25519_missing": "La deuxième clé DKIM (Ed25519) manque.",
    "wrong_dns.dkim_selector": "La clé DKIM est là, sous un autre nom.",
    "wrong_dns.dkim_other": "Une autre clé DKIM est publiée que celle de nos signatures.",
    "wrong_dns.dkim_revoked": "La clé DKIM est révoquée (p= est vide).",
    "wrong_dns.dkim_two": "Il y a plusieurs clés DKIM sous un même nom.",
    "wrong_dns.dkim_short": "La clé DKIM est trop courte.",
    "wrong_dns.dkim_broken": (
        "Ce qui est publié n'est pas une clé DKIM. Souvent, elle n'a pas été copiée en entier."
    ),
    "wrong_dns.dkim_testing": "La clé DKIM dit qu'elle est seulement en test (t=y).",
    "wrong_dns.dkim_unrevoked": "Une clé DKIM révoquée est encore valable.",
    "wrong_dns.dkim_removed": "Une clé DKIM dont plus personne n'a besoin est encore là.",
    "wrong_dns.dkim_pending": "La clé DKIM n'est pas encore prête.",
    "wrong_dns.dkim_unsigned": "Nous ne signons pas encore avec la nouvelle clé DKIM.",
    "wrong_dns.dkim_hidden": (
        "Votre hébergeur DNS nie l'existence de _domainkey. Certains destinataires n'y cherchent"
        " alors pas la clé DKIM."
    ),
    "wrong_dns.dmarc_missing": "L'enregistrement DMARC manque.",
    "wrong_dns.dmarc_two": (
        "Il y a plusieurs enregistrements DMARC. Les destinataires n'en croient alors aucun."
    ),
    "wrong_dns.dmarc_syntax": "L'enregistrement DMARC contient une erreur et ne peut pas être lu.",
    "wrong_dns.dmarc_obsolete": "L'enregistrement DMARC contient des éléments qui n'existent plus.",
    "wrong_dns.dmarc_policy": "L'enregistrement DMARC demande autre chose que ce qui est convenu.",
    "wrong_dns.dmarc_subdomains": (
        "L'enregistrement DMARC dit autre chose des sous-domaines que ce qui est convenu."
    ),
    "wrong_dns.dmarc_no_reports": "Personne ne reçoit de rapports, car rua= manque.",
    "wrong_dns.dmarc_unreported": (
        "Personne ne reçoit de rapports DMARC. Sans eux, la politique ne peut pas devenir plus"
        " stricte."
    ),
    "wrong_dns.dmarc_unauthorised": (
        "Les rapports vont à un domaine qui ne l'a pas accepté. Ils ne sont donc pas envoyés."
    ),
    "wrong_dns.dmarc_no_mailbox": "Les rapports vont à une adresse qui n'existe pas ici.",
    "wrong_dns.dmarc_grant_missing": "L'autorisation d'envoyer des rapports ici manque.",
    "wrong_dns.mta_sts_missing": "L'annonce MTA-STS manque.",
    "wrong_dns.mta_sts_two": (
        "Il y a plusieurs enregistrements MTA-STS. Les expéditeurs n'en suivent alors aucun."
    ),
    "wrong_dns.mta_sts_syntax": (
        "L'enregistrement MTA-STS contient une erreur et ne peut pas être lu."
    ),
    "wrong_dns.mta_sts_id": (
        "L'id= est ancien : les expéditeurs ne voient pas que quelque chose a changé."
    ),
    "wrong_dns.tls_rpt_missing": (
        "L'enregistrement TLS-RPT manque : personne n'apprend les erreurs de chiffrement."
    ),
    "wrong_dns.tls_rpt_unreported": (
        "Personne ne reçoit de rapports sur le chiffrement. Sans eux, MTA-STS ne peut pas devenir"
        " plus strict."
    ),
    "wrong_dns.tls_rpt_two": (
        "Il y a plusieurs enregistrements TLS-RPT. Alors aucun rapport n'arrive."
    ),
    "wrong_dns.tls_rpt_syntax": (
        "L'enregistrement TLS-RPT contient une erreur et ne peut pas être lu."
    ),
    "wrong_dns.tls_rpt_no_mailbox": "Les rapports vont à une adresse qui n'existe pas ici.",
    "wrong_dns.srv_missing": "Un enregistrement SRV manque.",
    "wrong_dns.srv_target": (
        "Un enregistrement SRV mène les logiciels de messagerie à un autre serveur."
    ),
    "wrong_dns.srv_offered": "Un enregistrement SRV annonce un service qui n'existe pas ici.",
    "wrong_dns.autoconfig_missing": "Le nom manque.",
    "wrong_dns.autoconfig_elsewhere": (
        "Le nom mène ailleurs. Les logiciels de messagerie pourraient y envoyer des mots de passe."
    ),
    "wrong_dns.autodiscover_missing": "Le nom ou son enregistrement SRV manque.",
    "wrong_dns.autodiscover_elsewhere": (
        "Le nom mène ailleurs. Outlook pourrait y envoyer des mots de passe."
    ),
    "wrong_dns.address_missing": "Le nom n'a pas d'adresse.",
    "wrong_dns.address_elsewhere": "Le nom mène à un autre hôte.",
    "wrong_dns.address_cname": "Le nom est un CNAME. Rien d'autre ne peut exister à côté.",
    "wrong_dns.caa_missing": (
        "Sans enregistrement CAA, toute autorité peut émettre des certificats."
    ),
    "wrong_dns.caa_forbids": "Notre autorité ne peut pas émettre de certificat.",
    "wrong_dns.leftover_autodiscover": "Outlook est encore mené chez l'ancien fournisseur.",
    "wrong_dns.leftover_dkim": (
        "La clé de l'ancien fournisseur est encore valable : il pourrait signer pour le domaine."
    ),
}
