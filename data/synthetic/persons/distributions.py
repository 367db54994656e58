"""How long, how often and when: the distributions that records are drawn from, as tables."""

from __future__ import annotations

import numpy as np

from data.synthetic.persons.chance import choices, quantiles

# Contacts a person and year, and those of them that begin in A&E, on a usual day: so that 56 million people have 25
# million attendances and 18 million spells in the year of both waves.
CONTACTS_A_YEAR = 0.815
AE_SHARE = 0.606

# Minute of the day at which people come.
_MORNING = ((0.0, 0), (0.045, 120), (0.10, 420), (0.16, 520), (0.30, 640))
ARRIVALS = quantiles(*_MORNING, (0.44, 760), (0.58, 890), (0.74, 1060), (0.88, 1240), (1.0, 1440))
WORKING = quantiles((0.0, 420), (0.5, 480), (0.8, 700), (1.0, 1020))
ANY_TIME = quantiles((0.0, 0), (0.2, 540), (0.8, 1140), (1.0, 1440))

# Minutes in the department, as targets make them: many leave just below 240. Two rows of those who go home, two of
# those who are admitted, each on a usual day and in winter; last, minor departments.
_FAST = ((0, 4), (0.1, 62), (0.3, 118), (0.55, 178), (0.72, 219), (0.84, 236), (0.9, 240))
_SLOW = ((0, 4), (0.1, 75), (0.3, 140), (0.5, 190), (0.66, 226), (0.76, 238), (0.8, 240))
_BED = ((0, 12), (0.1, 130), (0.3, 205), (0.5, 236), (0.58, 240), (0.75, 360), (0.9, 600))
_NO_BED = ((0, 12), (0.1, 150), (0.25, 222), (0.36, 240), (0.55, 390), (0.75, 640), (0.88, 960))
_MINOR = ((0, 3), (0.25, 34), (0.5, 62), (0.75, 105), (0.95, 190), (0.985, 238), (0.997, 300), (1, 620))
WAITS = np.stack(
    [
        quantiles(*_FAST, (0.93, 268), (0.97, 390), (0.99, 610), (0.999, 1500), (1, 2900)),
        quantiles(*_SLOW, (0.87, 300), (0.95, 480), (0.99, 880), (0.999, 1900), (1, 3600)),
        quantiles(*_BED, (0.96, 860), (0.99, 1350), (0.999, 2800), (1, 8200)),
        quantiles(*_NO_BED, (0.95, 1300), (0.99, 1980), (0.999, 3900), (1, 9900)),
        quantiles(*_MINOR),
    ]
)
MINOR = 4
ASSESSMENT = quantiles((0, 0), (0.3, 5), (0.6, 11), (0.85, 22), (0.97, 55), (1, 150))
TREATMENT = quantiles((0, 1), (0.2, 22), (0.5, 58), (0.8, 118), (0.95, 210), (1, 480))
# Of categories: of a first attendance, of one within the week after it. Of departments of a hospital.
FIRST_CATEGORY, NEXT_CATEGORY = choices([93, 2, 2, 3]), choices([40, 45, 5, 10])
HOSPITAL_DEPARTMENT = choices([70, 5, 19, 3, 3])

# Minutes in hospital by kind of stay.
EMERGENCY, PLANNED, MATERNITY, COVID, DAY_CASE = range(5)
_ILL = ((0, 45), (0.12, 420), (0.3, 1300), (0.5, 2900), (0.75, 8200), (0.9, 19000))
_VERY_ILL = ((0, 400), (0.1, 1600), (0.25, 5000), (0.5, 10500), (0.75, 20000), (0.9, 38000))
LENGTHS = np.stack(
    [
        quantiles(*_ILL, (0.97, 40000), (0.995, 90000), (1, 330000)),
        quantiles((0, 300), (0.2, 1500), (0.5, 2900), (0.8, 6000), (0.95, 14000), (0.995, 40000), (1, 120000)),
        quantiles((0, 300), (0.3, 1200), (0.6, 2600), (0.9, 5800), (1, 20000)),
        quantiles(*_VERY_ILL, (0.98, 75000), (1, 180000)),
        quantiles((0, 60), (0.5, 260), (1, 600)),
    ]
)
BACK_AFTER = quantiles((0, 0), (0.1, 600), (0.5, 11000), (1, 44000))

# By which way people are admitted who do not come through A&E, and by which method of it.
BY_DIRECT, BY_LIST, BY_MATERNITY, BY_DAY_CASE, BY_REGULAR, BY_DELIVERY = range(6)
ROUTES = choices([0.135, 0.115, 0.075, 0.51, 0.15, 0.015])
DIRECT_METHOD = choices([50, 10, 25, 0.1, 6, 6, 0.1, 0.1, 1])
LIST_METHOD, DAY_METHOD = choices([55, 20, 25]), choices([55, 5, 40])
MATERNITY_METHOD = choices([90, 10])
SOURCE, DESTINATION = choices([94, 1, 0, 0, 0, 2, 3, 0, 0]), choices([86, 1, 0, 0, 0, 3, 3, 7, 0])
ADULT_UNIT, CHILD_UNIT, BABY_UNIT = choices([5, 2, 3, 1, 0.5]), 5 + choices([5, 2, 1]), 8 + choices([3, 2, 2])

# Days from four before admission on which the specimen of a patient with COVID-19 is taken; days to its report.
SWAB = choices([3, 5, 7, 30, 35, 10, 5, 3, 2])
REPORT = choices([20, 50, 25, 5])
