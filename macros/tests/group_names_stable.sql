{% test group_names_stable(
    model, id_type_mapping=none, experiment_id_column=none, group_id_column=none, group_name_column=none,
    timestamp_column=none, partition_column=none, partition_type=none, source=none, kind=none, days=30,
    min_units=100
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'experiment_id_column': experiment_id_column,
      'group_id_column': group_id_column, 'group_name_column': group_name_column,
      'timestamp_column': timestamp_column, 'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'group_names_stable', ['group_names_stable'], given, options) }}
{% endtest %}
