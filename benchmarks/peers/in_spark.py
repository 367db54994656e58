"""The work in Spark on this machine, two threads, as somebody writes it who knows Spark: SQL alone, no Python per row.

python -m benchmarks.peers.in_spark DATA OUTPUT
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.peers import work
from benchmarks.peers.work import Feed

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": os.environ.get("BENCH_SPARK_MEMORY", "6g"),
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


def main() -> None:
    """Read both feeds, write the three tables."""
    data, output = work.arguments()
    builder = SparkSession.builder.appName("peer")
    for name, value in {**SETTINGS, "spark.local.dir": str(output), "spark.sql.warehouse.dir": str(output)}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for feed in (work.ATTENDANCES, work.SPELLS):
        read(spark, data, feed, output)
    spark.sql(WAITS).createOrReplaceTempView("visits")
    write(spark, by_level("visits", "date, department_type", WAIT_FIGURES), output / "waits.parquet")
    spark.sql(CENSUS).createOrReplaceTempView("nights")
    write(spark, by_level("nights", "snapshot_date", "count(*) as occupied_beds"), output / "census.parquet")
    successions = spark.createDataFrame(work.successions(data), "old string, new string, day string")
    successions.selectExpr("old", "new", "cast(day as date) as day").createOrReplaceTempView("successions")
    spark.sql(STAYS).createOrReplaceTempView("stays")
    spark.sql(LENGTHS).createOrReplaceTempView("lengths")
    keys = "admission_month, covid_group, age_band"
    ages = by_level("lengths", keys, LENGTH_FIGURES, ("nation", "trust"))
    sites = by_level("(select * from lengths where age_band = 'all')", keys, LENGTH_FIGURES, ("site",))
    write(spark, f"{ages} union all {sites}", output / "stays.parquet")
    spark.stop()


def read(spark: SparkSession, data: Path, feed: Feed, output: Path) -> None:
    """The latest versions of the records that hold, pseudonymised and stored, as the view `<feed>`."""
    files = work.files(data, feed)
    with open(files[0], encoding="utf-8-sig") as first:
        names = first.readline().strip().split(",")
    schema = ", ".join(f"{name} string" for name in names)
    rows = spark.read.csv(
        files,
        schema=schema,
        header=True,
        enforceSchema=False,
        ignoreLeadingWhiteSpace=True,
        ignoreTrailingWhiteSpace=True,
    )
    rows.selectExpr("*", "_metadata.file_path as file", "monotonically_increasing_id() as row").createOrReplaceTempView(
        "raw"
    )
    spark.sql(typed(feed)).createOrReplaceTempView("typed")
    spark.sql(judged(feed)).createOrReplaceTempView("judged")
    stored = str(output / f"{feed.name}.stored")
    spark.sql(latest(feed)).write.mode("overwrite").parquet(stored)
    spark.read.parquet(stored).createOrReplaceTempView(f"{feed.name}_versions")
    spark.sql(f"select * from {feed.name}_versions where not is_deletion").createOrReplaceTempView(feed.name)


def write(spark: SparkSession, sql: str, path: Path) -> None:
    """The rows of a query as one Parquet file."""
    folder = path.with_suffix(".parts")
    spark.sql(sql).coalesce(1).write.mode("overwrite").parquet(str(folder))
    (part,) = folder.glob("part-*.parquet")
    shutil.move(part, path)


def listed(codes: list[str] | list[int]) -> str:
    """Codes as a SQL list."""
    return ", ".join(f"'{code}'" if isinstance(code, str) else str(code) for code in codes)


def hmac(message: str) -> str:
    """HMAC-SHA-256 of a text, first 16 bytes, by Spark's own functions (RFC 2104: two hashes, two pads)."""
    key = work.KEY.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in key).hex() for pad in (0x36, 0x5C))
    once = f"unhex(sha2(concat(x'{inner}', encode({message}, 'utf-8')), 256))"
    return f"substring(unhex(sha2(concat(x'{outer}', {once}), 256)), 1, 16)"


def typed(feed: Feed) -> str:
    """Text to types; what is no date, time or number becomes null."""
    moments = []
    for moment in feed.moments:
        date, time = f"{moment}_date", f"{moment}_time"
        shaped = f"{time} rlike '^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?([+]0[01]:00)?$'"
        moments.append(
            f"""
            {as_date(date)} as {date}, {date} as {date}_text, {time} as {time}_text,
            case when {shaped} then
                timestampadd(minute, cast(substr({time}, 1, 2) as int) * 60 + cast(substr({time}, 4, 2) as int),
                    cast({as_date(date)} as timestamp)) end as {moment}_local,
            case when {time} like '%+0_:00' then cast(substr({time}, -4, 1) as int) end as {moment}_offset"""
        )
    codes = ", ".join(feed.codes)
    flags = ""
    if feed is work.SPELLS:
        flags = f"""treatment_function_code,
            exists(codes, code -> code in ({listed(work.COVID)})) as is_covid_diagnosed,
            coalesce(get(codes, 0) in ({listed(work.COVID)}), false) as is_covid_primary, """
    each = "split(upper(replace(coalesce(der_diagnosis_all, ''), '.', '')), '[|]')"
    codes_of = f"filter(transform({each}, code -> substr(trim(code), 1, 4)), code -> code <> '')"
    source = f"(select *, {codes_of} as codes from raw)" if feed is work.SPELLS else "raw"
    return f"""
        select {as_date("submission_date")} as submission_date, update_type = '1' as is_deletion, update_type,
            try_cast(record_version as int) as record_version, provider_code, site_code, {feed.number} as number,
            replace(nhs_number, ' ', '') as nhs_number, person_birth_date as birth_text,
            {as_date("person_birth_date")} as born, split(postcode_of_usual_address, ' ')[0] as area_code,
            {codes}, {flags} file, row, {", ".join(moments)}
        from {source}"""


def as_date(column: str) -> str:
    """A date written YYYY-MM-DD, else null."""
    return f"case when {column} rlike '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' then try_cast({column} as date) end"


def judged(feed: Feed) -> str:
    """Instants in UTC, pseudonyms, the age band, and whether the contract rejects the row."""
    start, end = feed.moments[0], feed.moments[-1]
    instants, broken = [], []
    for moment in feed.moments:
        first = f"to_utc_timestamp({moment}_local, 'Europe/London')"
        second = f"timestampadd(hour, 1, {first})"
        exists = f"from_utc_timestamp({first}, 'Europe/London') = {moment}_local"
        again = f"from_utc_timestamp({second}, 'Europe/London') = {moment}_local"
        given = f"timestampadd(hour, -{moment}_offset, {moment}_local)"
        told = f"from_utc_timestamp({given}, 'Europe/London') = {moment}_local"
        began = f"{first} < {instant(start)} and {again}" if moment != start else "false"
        instants.append(
            f"""case when {moment}_offset is not null then case when {told} then {given} end
                when {began} then {second} when {exists} then {first} end as {moment}_at"""
        )
        broken += [
            f"{moment}_date_text is not null and {moment}_date is null",
            f"({moment}_date_text is null) <> ({moment}_time_text is null)",
            f"{moment}_time_text is not null and {moment}_at is null",
            f"{moment}_date > submission_date",
            f"year({moment}_date) in ({listed(work.SENTINEL_YEARS)})",
        ]
    for code, permitted in feed.codes.items():
        broken.append(f"{code} not in ({listed(permitted)})")
    broken += [f"{column} is null" for column in (*feed.required, f"{start}_at", "site_code")]
    broken += ["not site_code rlike '^[A-Z0-9]{5}$'", f"{end}_at < {start}_at"]
    if feed is work.ATTENDANCES:
        broken.append(f"timestampdiff(minute, {start}_at, {end}_at) > {work.LONGEST_WAIT}")
    else:
        broken.append("not treatment_function_code rlike '^[0-9]{3}$'")
    weights = " + ".join(f"cast(substr(nhs_number, {place}, 1) as int) * {11 - place}" for place in range(1, 10))
    check = f"(11 - ({weights}) % 11) % 11"
    broken += [
        f"""nhs_number is not null and not (case when nhs_number rlike '^{work.TEST_PERSONS}[0-9]{{7}}$'
            then {check} = cast(substr(nhs_number, 10, 1) as int) else false end)""",
        f"birth_text is not null and born is null and not substr(birth_text, 1, 4) in "
        f"({listed([str(year) for year in work.SENTINEL_YEARS])})",
        "age < 0",
        f"age > {work.OLDEST_YEARS}",
    ]
    age = f"""case when year(born) not in ({listed(work.SENTINEL_YEARS)}) then year({start}_date) - year(born)
        - case when date_format({start}_date, 'MMdd') < date_format(born, 'MMdd') then 1 else 0 end end"""
    bands = " ".join(
        f"when age >= {low} then '{band}'" for low, band in reversed(list(zip(work.AGES_FROM, work.AGES, strict=True)))
    )
    key_broken = """submission_date is null or coalesce(record_version, 0) < 1
        or coalesce(update_type, '') not in ('1', '9')
        or not coalesce(provider_code rlike '^([A-Z0-9]{3}|[A-Z0-9]{5})$', false) or number is null"""
    return f"""
        select *, case {bands} else 'unknown' end as age_band,
            {hmac("concat(provider_code, '|', number)")} as record, {hmac("nhs_number")} as person
        from (select *, {", ".join(instants)}, {age} as age from typed)
        where not ({key_broken}) and (is_deletion or not coalesce({any_of(broken)}, false))"""


def any_of(rules: list[str]) -> str:
    """The rules, of which one is enough."""
    return " or ".join(f"({rule})" for rule in rules)


def instant(moment: str) -> str:
    """The first instant that a local time can mean, or the one that its offset says."""
    return f"""coalesce(timestampadd(hour, -{moment}_offset, {moment}_local),
        to_utc_timestamp({moment}_local, 'Europe/London'))"""


def latest(feed: Feed) -> str:
    """Conflicting versions of one file out, then the greatest version of each record."""
    moments = [f"{moment}_at" for moment in feed.moments]
    days = {work.ATTENDANCES.name: ["arrival_date"], work.SPELLS.name: ["admission_date", "discharge_date"]}[feed.name]
    codes = [code for code in feed.codes if code != "discharge_method"]
    if feed is work.SPELLS:
        codes += ["treatment_function_code", "is_covid_diagnosed", "is_covid_primary"]
        moments += ["admission_local", "discharge_local"]
    kept = ["provider_code", "site_code", "person", "age_band", "area_code", *codes, *moments, *days]
    version = "record, record_version, submission_date, is_deletion"
    return f"""
        with hashed as (
            select {version}, file, row, {", ".join(kept)}, xxhash64({", ".join(kept)}) as content from judged
        ),
        placed as (
            select *, row_number() over (
                    partition by record
                    order by record_version desc, submission_date desc, is_deletion desc, file desc, row desc
                ) as place
            from (
                select *, min(content) over same <> max(content) over same as is_conflicting
                from hashed window same as (partition by {version}, file)
            )
            where not is_conflicting
        )
        select {version}, {", ".join(kept)} from placed where place = 1"""


def by_level(rows: str, keys: str, figures: str, levels: tuple[str, ...] = ("nation", "trust", "site")) -> str:
    """Figures by organisation, one level after the other. A site with its provider's code is the provider."""
    codes = {"nation": f"'{work.NATION}'", "trust": "provider_code", "site": "site_code"}
    return " union all ".join(
        f"select '{level}' as org_level, {codes[level]} as org_code, {keys}, {figures} from {rows} "
        f"where {'site_code <> provider_code' if level == 'site' else 'true'} group by all"
        for level in levels
    )


MINUTES = "timestampdiff(minute, arrival_at, {0})"
TYPES = ", ".join(f"'{code}', '{name}'" for code, name in work.DEPARTMENTS.items())
WAITS = f"""
    select date, provider_code, site_code, type as department_type, stayed,
        case when decided between 0 and coalesce(stayed, -1) then stayed - decided end as from_decision,
        case when assessed between 0 and {work.LONGEST_STEP} then assessed end as assessed,
        case when treated between 0 and {work.LONGEST_STEP} then treated end as treated
    from (
        select arrival_date as date, provider_code, site_code,
            explode(array('all', element_at(map({TYPES}), ec_department_type))) as type,
            {MINUTES.format("ec_departure_at")} as stayed, {MINUTES.format("ec_decision_to_admit_at")} as decided,
            {MINUTES.format("ec_initial_assessment_at")} as assessed,
            {MINUTES.format("ec_seen_for_treatment_at")} as treated
        from ecds_attendances
        where ec_attendance_category in ({listed(work.UNPLANNED)})
            and ec_department_type in ({listed(list(work.DEPARTMENTS))})
    )"""
WAIT_FIGURES = ", ".join(
    [
        "count(*) as attendances, count(stayed) as four_hour_attendances",
        "count_if(stayed > 240) as over_four_hours, count_if(stayed > 720) as over_12_hours_from_arrival",
        "count_if(from_decision > 720) as over_12_hours_from_decision_to_admit",
        *(
            f"percentile({column}, {share}) as {name}_{said}_minutes"
            for column, name in (
                ("assessed", "time_to_assessment"),
                ("treated", "time_to_treatment"),
                ("stayed", "time_in_department"),
            )
            for share, said in ((0.5, "median"), (0.95, "p95"))
        ),
    ]
)
INPATIENTS = """(
    select *, (select max(submission_date) from apc_spells_versions) as horizon
    from apc_spells where patient_classification = '1'
)"""
AT_CENSUS = f"extract(hour from {{0}}_local) * 60 + extract(minute from {{0}}_local) > {work.CENSUS_HOUR * 60}"
CENSUS = f"""
    select provider_code, site_code, explode(sequence(first, last)) as snapshot_date
    from (
        select provider_code, site_code,
            case when {AT_CENSUS.format("admission")} then date_add(admission_date, 1) else admission_date end as first,
            case when discharge_date is null then horizon when {AT_CENSUS.format("discharge")} then discharge_date
                else date_add(discharge_date, -1) end as last
        from {INPATIENTS}
    )
    where first <= last"""
ORDER = "order by admission_at, ends, provider_code, record"
STAYS = f"""
    with spells as (
        select *, coalesce(discharge_at, timestamp'2200-01-01') as ends, coalesce(person, record) as who
        from {INPATIENTS}
    ),
    numbered as (select *, row_number() over (partition by who {ORDER}) as place from spells),
    following as (
        select *, max(struct(ends, place, discharge_date, discharge_destination, provider_code)) over (
                partition by who {ORDER} rows between unbounded preceding and 1 preceding
            ) as previous
        from numbered
    ),
    begun as (
        select *, case when previous is not null and (admission_at < previous.ends or (
                    day is not null and previous.discharge_date between date_sub(admission_date, 1) and admission_date)
                or (admission_date = previous.discharge_date and (
                    coalesce(previous.discharge_destination in ({listed(work.TRANSFERRED)}), false)
                    or admission_method in ({listed(work.TRANSFER_METHODS)})
                    or coalesce(source_of_admission in ({listed(work.TRANSFERRED)}), false)
                ))) then 0 else 1 end as begins
        from following
        left join successions on previous.provider_code = old and provider_code = new and admission_date = day
    ),
    stayed as (select *, sum(begins) over (partition by who {ORDER}) as stay from begun)
    select min_by(struct(admission_date, provider_code, site_code, age_band), place) as first,
        max(struct(ends, place, discharge_date)).discharge_date as discharge_date,
        bool_or(is_covid_diagnosed) as is_covid_diagnosed, max(horizon) as horizon
    from stayed group by who, stay"""
LENGTHS = """
    select trunc(first.admission_date, 'MM') as admission_month, first.provider_code, first.site_code,
        explode(array('all', first.age_band)) as age_band, covid_group, discharge_date is not null as ended,
        datediff(coalesce(discharge_date, horizon), first.admission_date) as nights
    from stays
    lateral view explode(
        case when is_covid_diagnosed then array('all', 'covid_diagnosed') else array('all') end
    ) as covid_group"""
LENGTH_FIGURES = ", ".join(
    [
        "count(*) as stays, count_if(ended) as completed_stays, count_if(not ended) as still_in_hospital",
        *(f"count_if(not ended and nights > {n}) as still_over_{n}_nights" for n in (7, 14, 21)),
        *(
            f"percentile(case when ended then nights end, {share}) as {name}_nights"
            for share, name in ((0.25, "lower_quartile"), (0.5, "median"), (0.75, "upper_quartile"), (0.9, "p90"))
        ),
    ]
)

if __name__ == "__main__":
    main()
