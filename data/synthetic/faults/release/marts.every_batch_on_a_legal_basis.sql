update build.staging.stg_batches set legal_basis = null
where batch = (select min(batch) from build.marts.observation)
