{% test timestamps_sane(
    model, timestamp_column=none, timestamp_as_day=none, partition_column=none, partition_type=none, source=none,
    kind=none, days=30, min_units=100, tolerance_minutes=10, column_name=none
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set timestamp_column = timestamp_column if timestamp_column is not none or column_name is none else column_name -%}
  {%- set given = {
      'timestamp_column': timestamp_column, 'timestamp_as_day': timestamp_as_day,
      'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units, 'tolerance_minutes': tolerance_minutes,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'timestamps_sane', ['timestamps_sane'], given, options) }}
{% endtest %}
