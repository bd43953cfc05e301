{% test sample_ratio(
    model, id_type_mapping=none, experiment_id_column=none, group_id_column=none, timestamp_column=none,
    partition_column=none, partition_type=none, source=none, kind=none, days=30, min_units=100, unit_id=none,
    weights=none
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'experiment_id_column': experiment_id_column,
      'group_id_column': group_id_column, 'timestamp_column': timestamp_column,
      'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units, 'unit_id': unit_id, 'weights': weights,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'sample_ratio', ['sample_ratio'], given, options) }}
{% endtest %}
