{% test one_row_per_unit(
    model, id_type_mapping=none, partition_column=none, partition_type=none, source=none, kind=none, min_units=100,
    days=none, unit_id=none
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'min_units': min_units, 'days': days, 'unit_id': unit_id,
  } -%}
  {{ dbt_statsig.statsig_rows(model, 'one_row_per_unit', ['one_row_per_unit'], given, options) }}
{% endtest %}
