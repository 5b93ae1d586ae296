# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in French."""

from __future__ import annotations

TEXTS = {
    "label": "{name} :",
    "date": "{day} {month} {year}",
    "first": "1er",
    "months": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    ),
    "decimal_mark": ",",
    "unlimited": "illimité",
    "welcome": "Bienvenue chez {brand}",
    "hello": "Bonjour {name},",
    "hello_someone": "Bonjour,",
    "welcome_why": (
        "Votre courriel est en place. Cette lettre contient ce qu'il faut pour l'utiliser."
    ),
    "contract": "Votre contrat",
    "client": "Client",
    "product": "Produit",
    "amount": "Montant",
    "cycle": "Facturation",
    "cycle_monthly": "chaque mois",
    "cycle_quarterly": "tous les trois mois",
    "cycle_half_yearly": "tous les six mois",
    "cycle_yearly": "chaque année",
    "payment": "Paiement",
    "due": "Prochaine échéance",
    "domains": "Vos domaines",
    "mail_server": "Serveur de courriel",
    "another_name": "un autre nom de {domain}",
    "relayed": "le courriel est transmis à {host}",
    "no_addresses": "n'a pas d'adresse",
    "addresses": "Vos adresses",
    "address": "Adresse",
    "what": "Nature",
    "is_mailbox": "boîte",
    "is_mailbox_of": "boîte de {name}",
    "is_alias": "remis à {to}",
    "is_sender": "adresse d'expéditeur de {mailbox}",
    "is_catch_all": "toutes les autres adresses, remis à {to}",
    "login": "Connexion",
    "login_how": (
        "Le nom d'utilisateur est l'adresse complète de la boîte. Cette lettre ne contient pas de"
        " mot de passe. Celui de chaque boîte arrive séparément."
    ),
    "enclosed": "Avec cette lettre",
    "enclosed_mailboxes": "pour chaque boîte, une lettre à son utilisateur",
    "enclosed_clients": "pour chaque domaine, les réglages des logiciels de courriel",
    "enclosed_dns": "pour chaque domaine, ses enregistrements DNS",
    "enclosed_golive": "pour chaque domaine, le rapport de mise en service",
    "mailbox_title": "Votre boîte {address}",
    "mailbox_why": "Votre boîte chez {brand} est prête.",
    "mailbox": "Votre boîte",
    "storage": "Espace",
    "also_from": "Reçoit aussi le courriel pour",
    "also_as": "Aussi sous le domaine",
    "password": "Mot de passe",
    "password_separate": "arrive séparément",
    "never_ask": (
        "Nous ne demandons jamais votre mot de passe. Un message qui le demande est une fraude :"
        " n'y répondez pas."
    ),
    "clients_of": "Réglages des logiciels de courriel : {domain}",
    "dns_of": "Enregistrements DNS de {domain}",
    "golive_of": "Rapport de mise en service de {domain}",
    "zone_lines": "En lignes de fichier de zone",
}
