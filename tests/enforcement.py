"""The request for enforcement that the delivered procedure is played with, from Saarbrücken to Homburg."""

HOMBURG = "10045114"
REQUEST = {
    "empfaenger": HOMBURG,
    "vollstreckungsersuchen": {
        "schuldner": {"name": "Muster", "strasse": "Talstraße 1", "plz": "66424", "ort": "Homburg"},
        "forderung": {
            "grund": "Hundesteuer 2025",
            "aktenzeichen": "H 2025/9",
            "bescheid_vom": "2025-01-15",
            "faellig_seit": "2025-02-15",
            "hauptforderung": 96,
        },
        "vollstreckbarkeit": {"erklaert": True, "mahnung_vom": "2025-03-20"},
        "zahlung": {"iban": "DE02120300000000202051", "verwendungszweck": "H 2025/9"},
    },
}
