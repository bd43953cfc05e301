{% test same_unit_space(
    model, id_type_mapping=none, timestamp_column=none, partition_column=none, partition_type=none,
    assignments=none, source=none, kind=none, days=30, min_units=100, unit_id=none, assignment_id_type_mapping=none,
    warn_below=0.01, error_below=0.001
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'timestamp_column': timestamp_column,
      'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'assignments': assignments, 'source': source, 'kind': kind, 'days': days, 'min_units': min_units,
      'unit_id': unit_id, 'assignment_id_type_mapping': assignment_id_type_mapping, 'warn_below': warn_below,
      'error_below': error_below,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'same_unit_space', ['same_unit_space'], given, options) }}
{% endtest %}
