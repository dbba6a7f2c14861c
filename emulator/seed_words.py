"""Words that seeded rows are made of: names in many scripts, and text that breaks careless programs."""

FIRST_NAMES = (
    "Anna", "Bert", "Carla", "Dmitri", "Eva", "Farid", "Grace", "Hiro", "Inês", "Jonas", "Søren", "Zoë", "Łukasz",
    "王", "Ανδρέας", "أحمد", "Ana Maria", "Jean-Luc", "Priya", "Chidi", "Ольга", "דוד", "さくら", "민준", "Nguyệt",
    "Björk", "François", "Ayşe", "Œdipe", "नेहा",
)  # fmt: skip
LAST_NAMES = (
    "Smith", "O'Brien", "Müller", "de la Cruz", "Nguyễn", "Kowalski", "李", "Παπαδόπουλος", "Иванов", "García",
    "Johnson", "Singh", "Yamamoto", "Okafor", "Larsen", "Rossi", "Dubois", "van Dijk", "Haddad", "Cohen", "Þórsson",
    "Ødegård", "Çelik", "Žižek", "St. John", "Smith-Jones", "김", "Ng", "MacDonald", "D'Angelo",
)  # fmt: skip
COMPANIES = (
    "Acme", "Globex", "Initech", "Umbra", "Hooli", "Vandelay", "Wonka", "Stark", "Wayne", "Tyrell", "Cyberdyne",
    "Soylent", "Massive", "Aperture", "Oscorp", "Gringotts", "Monarch", "Zorin", "Virtucon", "Prestige",
)  # fmt: skip
KINDS = ("Industries", "Logistics", "Software", "Health & Care", "Energy", "Foods, Inc.", "Media", "Partners", "Labs",
         "Retail GmbH")  # fmt: skip
CITIES = (
    ("Berlin", "BE", "10115", "Germany", 52.520008, 13.404954),
    ("London", None, "EC1A 1BB", "United Kingdom", 51.5, -0.12),
    ("Austin", "TX", "73301", "United States", 30.2672, -97.7431),
    ("São Paulo", "SP", "01000-000", "Brazil", -23.55, -46.63),
    ("東京", None, "100-0001", "Japan", 35.6762, 139.6503), ("Paris", None, "75001", "France", None, None),
    ("Toronto", "ON", "M5H 2N2", "Canada", 43.6532, -79.3832), ("København", None, "1050", "Denmark", None, None),
    ("San Francisco", "CA", "94105", "United States", 37.7749, -122.4194),
    ("Κηφισιά", None, "145 61", "Greece", None, None),
)  # fmt: skip
STREETS = ("Main Street {n}", "Hauptstraße {n}\nHinterhaus, 2. OG", 'Rue de l"Église {n}',
           "1-{n} Marunouchi\r\nChiyoda-ku",
           "PO Box {n}", "Calle Ñ, {n}")  # fmt: skip
TITLES = ("Head of Marketing", "CEO", "VP, Sales", "Account Manager", 'Data "Guru"', "Buyer", "CTO", "Intern",
          "Geschäftsführer/in", None)  # fmt: skip
NASTY = (
    "Likes cats, dogs\nand line breaks", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "emoji 🚀 & ümlaut 👩‍👩‍👧",
    "+49 is not a formula", "@SUM(1+1)", '"quoted" and \'single\'', "N/A", "-1", "#N/A", "back\\slash, tab\there",
    "<b>bold</b> &amp; &lt;", "0", "null", "ﷺ right to left ‏עברית‏", "a; b; c", "100% — “smart quotes”",
    "line one\r\nline two\r\n\r\nline four", "%_ wildcards", "'; DROP TABLE Lead; --",
)  # fmt: skip
SUBJECTS = ("Call", "Email", "Send Letter", "Send Quote", "Follow up: pricing, terms", "Demo 🎉")
CAMPAIGNS = ("Spring", "Summer", "Launch", "Webinar: Q&A", "Trade Show", "Newsletter", "Re-engagement", 'ABM "Top 50"')
OPEN_STATUSES = ("Open - Not Contacted", "Working - Contacted")
