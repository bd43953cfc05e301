{% test unit_ids_filled(
    model, id_type_mapping=none, experiment_id_column=none, group_id_column=none, timestamp_column=none,
    partition_column=none, partition_type=none, source=none, kind=none, days=30, min_units=100, warn_above=none,
    error_above=none, column_name=none
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set id_type_mapping = id_type_mapping if id_type_mapping is not none or column_name is none else {column_name: column_name} -%}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'experiment_id_column': experiment_id_column,
      'group_id_column': group_id_column, 'timestamp_column': timestamp_column,
      'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units, 'warn_above': warn_above,
      'error_above': error_above,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'unit_ids_filled', ['unit_ids_filled'], given, options) }}
{% endtest %}
