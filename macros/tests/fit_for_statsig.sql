{% test fit_for_statsig(
    model, id_type_mapping=none, timestamp_column=none, timestamp_as_day=none, experiment_id_column=none,
    group_id_column=none, group_name_column=none, partition_column=none, partition_type=none, source=none,
    kind=none, days=30, min_units=100, unit_id=none, assigned_by='warehouse', weights=none, assignments=none,
    tolerance_minutes=10, max_age_hours=none, skip=[], also=[]
) %}
  {{ config(error_if="> 0 and sum(is_error) > 0") }}
  {%- set given = {
      'id_type_mapping': id_type_mapping, 'timestamp_column': timestamp_column,
      'timestamp_as_day': timestamp_as_day, 'experiment_id_column': experiment_id_column,
      'group_id_column': group_id_column, 'group_name_column': group_name_column,
      'partition_column': partition_column, 'partition_type': partition_type,
  } -%}
  {%- set options = {
      'source': source, 'kind': kind, 'days': days, 'min_units': min_units, 'unit_id': unit_id,
      'assigned_by': assigned_by, 'weights': weights, 'assignments': assignments,
      'tolerance_minutes': tolerance_minutes, 'max_age_hours': max_age_hours,
  } -%}
  {%- set checks = [
      'unit_ids_filled', 'timestamps_sane', 'one_group_per_unit', 'sample_ratio', 'group_names_stable',
      'one_row_per_unit',
  ] -%}
  {%- do options.update({'equal_is_assumed': weights is none, 'warn_below': 0.01, 'error_below': 0.001}) -%}
  {%- if max_age_hours is not none -%}{%- do checks.append('fresh_enough') -%}{%- endif -%}
  {%- if assignments is not none -%}{%- do checks.append('same_unit_space') -%}{%- endif -%}
  {%- set wanted = [] -%}
  {%- for check in (checks + also) | unique if check not in skip -%}{%- do wanted.append(check) -%}{%- endfor -%}
  {{ dbt_statsig.statsig_rows(model, 'fit_for_statsig', wanted, given, options) }}
{% endtest %}
