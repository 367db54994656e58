"""No governance record, no data: the records that let us hold a dataset, checked, and what follows from them on a day.

The records are YAML that an information-governance officer keeps (`governance/*.yaml`). `read` makes a `Register` of
them or says in one line what is wrong; the `Register` answers what governs a feed, until when, and what has ended.
"""

from pipelines.domain.governance.agreements import Agreement, Disposition
from pipelines.domain.governance.bases import LegalBasis
from pipelines.domain.governance.events import Approver, Backup, Dataset, End, Event, Hold
from pipelines.domain.governance.files import FILES, read
from pipelines.domain.governance.parts import Ungoverned
from pipelines.domain.governance.register import LAPSES_WITHIN, Governed, Lapse, Register

__all__ = [
    "FILES",
    "LAPSES_WITHIN",
    "Agreement",
    "Approver",
    "Backup",
    "Dataset",
    "Disposition",
    "End",
    "Event",
    "Governed",
    "Hold",
    "Lapse",
    "LegalBasis",
    "Register",
    "Ungoverned",
    "read",
]
