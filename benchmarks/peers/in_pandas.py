"""The work in pandas, as somebody writes it who knows pandas: read by PyArrow, vectorised, each distinct text parsed
once, no Python call per row but the HMAC, for which pandas has nothing.

    python -m benchmarks.peers.in_pandas DATA OUTPUT
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from benchmarks.peers import work
from benchmarks.peers.work import Feed

LONDON = "Europe/London"
TIME = r"^(\d{2}):(\d{2})(?::(\d{2}))?(?:\+(00|01):00)?$"
OPEN = np.datetime64("2200-01-01", "s")


def main() -> None:
    """Read both feeds, write the three tables."""
    data, output = work.arguments()
    waits(accepted(work.files(data, work.ATTENDANCES), work.ATTENDANCES)[0]).to_parquet(output / "waits.parquet")
    spells, horizon = accepted(work.files(data, work.SPELLS), work.SPELLS)
    spells = spells[spells["patient_classification"] == "1"].reset_index(drop=True)
    census(spells, horizon).to_parquet(output / "census.parquet")
    lengths(stays(spells, work.successions(data)), horizon).to_parquet(output / "stays.parquet")


def accepted(files: Iterable[str], feed: Feed) -> tuple[pd.DataFrame, pd.Timestamp]:
    """The latest versions of the records that hold, pseudonymised, and the feed's horizon D."""
    rows = pd.concat([read(path, feed, number) for number, path in enumerate(files)], ignore_index=True)
    horizon = rows["submission_date"].max()
    order = ["record", "record_version", "submission_date", "is_deletion", "file", "row"]
    rows = rows.sort_values(order, kind="stable")
    rows = rows[~rows.duplicated("record", keep="last") & ~rows["is_deletion"]]
    return rows.drop(columns=["row", "file", "is_deletion"]).reset_index(drop=True), horizon


def read(path: str, feed: Feed, number: int) -> pd.DataFrame:
    """The rows of a file that the contract accepts, typed, without an identifier."""
    raw = pd.read_csv(path, engine="pyarrow", usecols=feed.columns, dtype="str", na_values=[""], keep_default_na=False)
    raw = raw.apply(lambda column: column.str.strip()) if _has_spaces(raw) else raw
    deletion = raw["update_type"] == "1"
    submitted, wrong = _dates(raw["submission_date"])
    bad = wrong | submitted.isna() | raw["record_version"].isna() | ~raw["update_type"].isin(["1", "9"])
    rows = pd.DataFrame(
        {
            "submission_date": submitted,
            "record_version": pd.to_numeric(raw["record_version"], errors="coerce").fillna(-1).astype("int64"),
            "is_deletion": deletion,
            "file": number,
            "row": np.arange(len(raw)),
            "provider_code": raw["provider_code"],
            "site_code": raw["site_code"],
        }
    )
    bad |= (rows["record_version"] < 1) | ~_matches(raw["provider_code"], r"^(?:[A-Z0-9]{3}|[A-Z0-9]{5})$")
    bad |= raw[feed.number].isna()
    broken = ~_matches(raw["site_code"], r"^[A-Z0-9]{5}$")
    for code, permitted in feed.codes.items():
        empty = raw[code].isna()
        broken |= ~raw[code].isin(permitted) & ~empty | (empty if code in feed.required else False)
        rows[code] = raw[code].astype("category")
    if feed is work.SPELLS:
        rows["treatment_function_code"] = raw["treatment_function_code"]
        broken |= ~_matches(raw["treatment_function_code"], r"^\d{3}$")
        for flag, position in (("is_covid_diagnosed", None), ("is_covid_primary", 0)):
            found = _per_distinct(raw["der_diagnosis_all"], lambda texts, at=position: _has_covid(texts, at))
            rows[flag] = found.fillna(False).astype("bool")
    start = feed.moments[0]
    for moment in feed.moments:
        date, minute, instant, wrong = _moment(raw, moment, rows.get(f"{start}_at"))
        broken |= wrong | (date > submitted) | date.dt.year.isin(work.SENTINEL_YEARS)
        rows[f"{moment}_at"] = instant
        if moment in ("arrival", "admission", "discharge"):
            rows[f"{moment}_date"], rows[f"{moment}_minute"] = date, minute
    broken |= rows[f"{start}_at"].isna()
    end = rows[f"{feed.moments[-1]}_at"]
    broken |= end < rows[f"{start}_at"]
    if feed is work.ATTENDANCES:
        broken |= (end - rows[f"{start}_at"]) > pd.Timedelta(minutes=work.LONGEST_WAIT)
    rows["age_band"], wrong = _age_band(raw["person_birth_date"], rows[f"{start}_date"])
    rows["area_code"] = _per_distinct(raw["postcode_of_usual_address"], lambda texts: texts.str.split().str[0])
    rows["person"], invalid = _persons(raw["nhs_number"])
    broken |= wrong | invalid
    rows["record"] = _hmac(raw["provider_code"].fillna("") + "\x1f" + raw[feed.number].fillna(""))
    rows = rows[~(bad | broken & ~deletion)]
    return rows[~_conflicting(rows)]


def waits(rows: pd.DataFrame) -> pd.DataFrame:
    """Waiting times by date of arrival, organisation and department type."""
    rows = rows[rows["ec_attendance_category"].isin(work.UNPLANNED) & rows["ec_department_type"].isin(work.DEPARTMENTS)]
    stayed = _minutes(rows, "ec_departure")
    decided = _minutes(rows, "ec_decision_to_admit")
    from_decision = (stayed - decided).where((decided >= 0) & (decided <= stayed))
    steps = {}
    for step, moment in (("assessment", "ec_initial_assessment"), ("treatment", "ec_seen_for_treatment")):
        minutes = _minutes(rows, moment)
        steps[f"time_to_{step}"] = minutes.where((minutes >= 0) & (minutes <= work.LONGEST_STEP))
    steps["time_in_department"] = stayed
    figures = pd.DataFrame(
        {
            "date": rows["arrival_date"],
            "trust": rows["provider_code"],
            "site": rows["site_code"],
            "department_type": rows["ec_department_type"].map(work.DEPARTMENTS).astype("str"),
            "attendances": 1,
            "four_hour_attendances": stayed.notna().astype("int64"),
            "over_four_hours": (stayed > 240).astype("int64"),
            "over_12_hours_from_arrival": (stayed > 720).astype("int64"),
            "over_12_hours_from_decision_to_admit": (from_decision > 720).astype("int64"),
            **steps,
        }
    )
    figures = pd.concat([figures, figures.assign(department_type="all")], ignore_index=True)
    return _by_level(figures, ["date", "department_type"], lambda grouped: _wait_figures(grouped, list(steps)))


def _wait_figures(grouped: pd.api.typing.DataFrameGroupBy, steps: list[str]) -> pd.DataFrame:
    counts = ["attendances", "four_hour_attendances", "over_four_hours"]
    counts += ["over_12_hours_from_arrival", "over_12_hours_from_decision_to_admit"]
    quantiles = grouped[steps].quantile([0.5, 0.95]).unstack()
    quantiles.columns = [f"{step}_{'median' if at == 0.5 else 'p95'}_minutes" for step, at in quantiles.columns]
    return grouped[counts].sum().join(quantiles)


def census(spells: pd.DataFrame, horizon: pd.Timestamp) -> pd.DataFrame:
    """Occupied beds at 08:00 local, by day and organisation, from the first admission to the horizon."""
    day, hour = pd.Timedelta(days=1), work.CENSUS_HOUR * 60
    first = spells["admission_date"] + day * (spells["admission_minute"] > hour).astype("int64")
    after = (spells["discharge_date"] + day * (spells["discharge_minute"] > hour).astype("int64")).fillna(horizon + day)
    events = pd.concat(
        [
            pd.DataFrame({"date": date, "trust": spells["provider_code"], "site": spells["site_code"], "beds": beds})
            for date, beds in ((first, 1), (after, -1))
        ],
        ignore_index=True,
    )
    days = pd.date_range(spells["admission_date"].min(), horizon)

    def occupied(grouped: pd.api.typing.DataFrameGroupBy) -> pd.DataFrame:
        changes = grouped["beds"].sum().unstack("date", fill_value=0).reindex(columns=days, fill_value=0)
        return (
            changes.cumsum(axis=1).stack().rename("occupied_beds").rename_axis(["org_code", "snapshot_date"]).to_frame()
        )

    return _by_level(events, ["date"], occupied)


def stays(spells: pd.DataFrame, successions: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Continuous stays: spells of one person joined when they overlap or one hands over to the next."""
    spells = spells.assign(
        end=spells["discharge_at"].fillna(OPEN),
        # A spell without a known person is a stay of its own.
        person=spells["person"].where(spells["person"] != 0, spells["record"]),
    )
    spells = spells.sort_values(["person", "admission_at", "end", "provider_code"], kind="stable", ignore_index=True)
    # A person's spell that ends last so far is of the running stay: an earlier stay ended before this one began.
    number = np.arange(len(spells), dtype="int64")
    until = spells["end"].to_numpy("datetime64[s]").astype("int64") // 60 * len(spells) + number
    latest = pd.Series(until).groupby(spells["person"]).cummax()
    before = latest.groupby(spells["person"]).shift()
    known = before.notna()
    place = before.fillna(0).astype("int64").to_numpy() % len(spells)
    previous = spells.iloc[place].reset_index(drop=True)
    overlap = spells["admission_at"] < previous["end"]
    handed_over = (spells["admission_date"] == previous["discharge_date"]) & (
        previous["discharge_destination"].isin(work.TRANSFERRED)
        | spells["admission_method"].isin(work.TRANSFER_METHODS)
        | spells["source_of_admission"].isin(work.TRANSFERRED)
    )
    merged = pd.Series(False, index=spells.index)
    for old, new, on in successions:
        day = pd.Timestamp(on)
        merged |= (
            (spells["admission_date"] == day)
            & (spells["provider_code"] == new)
            & (previous["provider_code"] == old)
            & previous["discharge_date"].isin([day, day - pd.Timedelta(days=1)])
        )
    spells["stay"] = (~(known & (overlap | handed_over | merged))).cumsum()
    grouped = spells.groupby("stay", sort=False)
    made = grouped[["admission_date", "provider_code", "site_code", "age_band"]].first()
    made["is_covid_diagnosed"] = grouped["is_covid_diagnosed"].any()
    # Within a stay `latest` still grows only with its own spells, so its last value names the spell that ends last.
    last = latest.groupby(spells["stay"], sort=False).last().to_numpy() % len(spells)
    made["discharge_date"] = spells["discharge_date"].to_numpy()[last]
    return made


def lengths(made: pd.DataFrame, horizon: pd.Timestamp) -> pd.DataFrame:
    """Length of stay by month of admission, organisation, group and age."""
    ended = made["discharge_date"].notna()
    nights = (made["discharge_date"].fillna(horizon) - made["admission_date"]).dt.days
    figures = pd.DataFrame(
        {
            "admission_month": made["admission_date"].dt.to_period("M").dt.start_time,
            "trust": made["provider_code"],
            "site": made["site_code"],
            "age_band": made["age_band"].astype("str"),
            "covid_group": "all",
            "stays": 1,
            "completed_stays": ended.astype("int64"),
            "nights": nights.where(ended),
            "still_in_hospital": (~ended).astype("int64"),
            **{f"still_over_{limit}_nights": (~ended & (nights > limit)).astype("int64") for limit in (7, 14, 21)},
        }
    )
    figures = pd.concat([figures, figures[made["is_covid_diagnosed"].to_numpy()].assign(covid_group="covid_diagnosed")])
    every = figures.assign(age_band="all")
    keys = ["admission_month", "covid_group", "age_band"]
    by_age = _by_level(pd.concat([figures, every]), keys, _length_figures, levels=("nation", "trust"))
    return pd.concat([by_age, _by_level(every, keys, _length_figures, levels=("site",))], ignore_index=True)


def _length_figures(grouped: pd.api.typing.DataFrameGroupBy) -> pd.DataFrame:
    counts = ["stays", "completed_stays", "still_in_hospital"] + [f"still_over_{n}_nights" for n in (7, 14, 21)]
    quantiles = grouped["nights"].quantile([0.25, 0.5, 0.75, 0.9]).unstack()
    quantiles.columns = ["lower_quartile_nights", "median_nights", "upper_quartile_nights", "p90_nights"]
    return grouped[counts].sum().join(quantiles)


def _by_level(
    rows: pd.DataFrame,
    keys: list[str],
    figures: Callable[[pd.api.typing.DataFrameGroupBy], pd.DataFrame],
    levels: tuple[str, ...] = ("nation", "trust", "site"),
) -> pd.DataFrame:
    made = []
    for level in levels:
        # A site with its provider's code is the provider.
        some = rows[rows["site"] != rows["trust"]] if level == "site" else rows
        organised = some.assign(org_code=work.NATION if level == "nation" else some[level])
        grouped = organised.groupby(["org_code", *keys], observed=True, sort=False)
        made.append(figures(grouped).reset_index().assign(org_level=level))
    return pd.concat(made, ignore_index=True)


def _minutes(rows: pd.DataFrame, moment: str) -> pd.Series:
    return (rows[f"{moment}_at"] - rows["arrival_at"]) / pd.Timedelta(minutes=1)


def _per_distinct(texts: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """What the function makes of a column, called on each distinct text once."""
    codes, distinct = pd.factorize(texts)
    made = function(pd.Series(distinct)).reindex(range(-1, len(distinct)))
    return pd.Series(made.to_numpy()[codes + 1], index=texts.index)


def _has_spaces(raw: pd.DataFrame) -> bool:
    return any(raw[column].str.contains(r"^\s|\s$").any() for column in raw.columns)


def _matches(texts: pd.Series, pattern: str) -> pd.Series:
    return _per_distinct(texts, lambda distinct: distinct.str.match(pattern)).fillna(False).astype("bool")


def _dates(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Dates, and where there is a text that is none."""
    made = _per_distinct(texts, lambda distinct: pd.to_datetime(distinct, format="%Y-%m-%d", errors="coerce"))
    made = made.astype("datetime64[s]")
    return made, made.isna() & texts.notna()


def _moment(
    raw: pd.DataFrame, moment: str, start: pd.Series | None
) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    """Local date, local minute of the day, the instant in UTC, and where any of it is wrong."""
    date, wrong = _dates(raw[f"{moment}_date"])
    texts = raw[f"{moment}_time"]
    parts = texts.drop_duplicates().dropna()
    parsed = parts.str.extract(TIME)
    minute_of = pd.to_numeric(parsed[0]) * 60 + pd.to_numeric(parsed[1])
    readable = (minute_of < 1440) & (pd.to_numeric(parsed[1]) < 60) & (pd.to_numeric(parsed[2]).fillna(0) < 60)
    minute = texts.map(dict(zip(parts, minute_of.where(readable), strict=True))).astype("float64")
    offset = texts.map(dict(zip(parts, pd.to_numeric(parsed[3]), strict=True))).astype("float64")
    wrong |= (texts.notna() & minute.isna()) | (date.isna() != minute.isna())
    local = date + pd.to_timedelta(minute.fillna(0), unit="m").astype("timedelta64[s]").where(date.notna())
    instant = local.dt.tz_localize(LONDON, ambiguous=np.ones(len(local), dtype=bool), nonexistent="NaT")
    instant = instant.dt.tz_convert("UTC").dt.tz_localize(None)
    if start is not None:  # the second time round, when the first was before the record began
        later = instant + pd.Timedelta(hours=1)
        twice = later.dt.tz_localize("UTC").dt.tz_convert(LONDON).dt.tz_localize(None) == local
        instant = instant.mask(twice & (instant < start), later)
    said = offset.notna()
    if said.any():
        given = local[said] - pd.to_timedelta(offset[said], unit="h").astype("timedelta64[s]")
        then = given.dt.tz_localize("UTC").dt.tz_convert(LONDON).dt.tz_localize(None) == local[said]
        instant.loc[said] = given.where(then)
    return date, minute, instant, wrong | (instant.isna() & date.notna() & minute.notna())


def _age_band(texts: pd.Series, start: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Age band at the start, and where no person has that age."""
    born = _dates(texts)[0]
    born = born.mask(born.dt.year.isin(work.SENTINEL_YEARS))
    month_day = start.dt.month * 100 + start.dt.day
    years = start.dt.year - born.dt.year - (month_day < born.dt.month * 100 + born.dt.day)
    bands = pd.cut(years, [*work.AGES_FROM, np.inf], right=False, labels=work.AGES)
    bands = bands.cat.add_categories("unknown").fillna("unknown")
    unreadable = born.isna() & texts.notna() & ~_sentinel(texts)
    return bands, (years < 0) | (years > work.OLDEST_YEARS) | unreadable


def _sentinel(texts: pd.Series) -> pd.Series:
    return texts.str[:4].isin([str(year) for year in work.SENTINEL_YEARS])


def _persons(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Pseudonyms (0: not known), and where the number is no valid test number. Each distinct number is hashed once."""
    numbers = texts.str.replace(" ", "", regex=False)
    codes, distinct = pd.factorize(numbers)
    distinct = pd.Series(distinct, dtype="str")
    shaped = distinct.str.fullmatch(r"\d{10}").to_numpy("bool")
    digits = distinct.where(shaped, "0" * 10).astype("int64").to_numpy()
    total = sum(digits // 10 ** (9 - place) % 10 * (10 - place) for place in range(9))
    check = (11 - total % 11) % 11
    good = shaped & (check == digits % 10) & (digits // 10**7 == int(work.TEST_PERSONS))
    pseudonyms = np.append(_hmac(distinct).to_numpy(), 0)
    return pd.Series(pseudonyms[codes], index=texts.index), pd.Series(np.append(~good, False)[codes], index=texts.index)


def _hmac(messages: pd.Series) -> pd.Series:
    """The first 8 bytes of the HMAC-SHA-256 of each text, as a number: pandas knows none of 16."""
    made = b"".join(hmac.digest(work.KEY, message.encode(), "sha256") for message in messages.to_numpy("object"))
    return pd.Series(np.frombuffer(made, dtype=">i8").reshape(-1, 4)[:, 0].astype("int64"), index=messages.index)


def _conflicting(rows: pd.DataFrame) -> pd.Series:
    """Rows of one file that claim to be the same version of a record and differ."""
    key = ["record", "record_version", "submission_date", "is_deletion"]
    doubled = rows[rows.duplicated(key, keep=False)]
    kept = [column for column in doubled.columns if column not in (*key, "file", "row", "discharge_method")]
    different = doubled[~doubled.duplicated([*key, *kept])].groupby(key, sort=False).size()
    conflicts = different[different > 1].index
    at = pd.MultiIndex.from_frame(rows[key])
    return pd.Series(at.isin(conflicts) if len(conflicts) else np.zeros(len(rows), dtype=bool), index=rows.index)


def _has_covid(texts: pd.Series, at: int | None) -> pd.Series:
    """Whether COVID-19 stands among the codes, or at a position among those that are not empty."""
    codes = texts.str.replace(".", "", regex=False).str.upper().str.split("|").explode().str.strip().str[:4]
    codes = codes[codes != ""]
    if at is not None:
        codes = codes.groupby(level=0).nth(at)
    return codes.isin(work.COVID).groupby(level=0).any()


if __name__ == "__main__":
    main()
