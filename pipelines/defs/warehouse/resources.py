"""What the assets ask for: dbt on this project, and the lock that a run holds."""

import dagster as dg

from pipelines import settings
from pipelines.adapters.dbt_project import Dbt
from pipelines.components.one_run import ONE_RUN, one_run
from pipelines.defs.warehouse.assets import DBT, PROJECT


@dg.definitions
def resources() -> dg.Definitions:
    """The resources by the names that assets require."""
    dbt = Dbt(project_dir=PROJECT, dbt_executable=str(settings.program("dbt")))
    return dg.Definitions(resources={DBT: dbt, ONE_RUN: one_run})
