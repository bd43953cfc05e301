{% test fresh_enough(
    model, timestamp_column=none, partition_column=none, partition_type=none, source=none, kind=none, days=30,
    min_units=100, max_age_hours=48, column_name=none
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set timestamp_column = timestamp_column if timestamp_column is not none or column_name is none else column_name -%}
  {%- set given = {
      'timestamp_column': timestamp_column, 'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units, 'max_age_hours': max_age_hours,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'fresh_enough', ['fresh_enough'], given, options) }}
{% endtest %}
