delete from build.marts.covid_admissions_daily
where org_level = 'nation' and date = (select max(date) from build.marts.covid_admissions_daily)
