{% macro statsig_check_kinds() %}
  {#- What each check is about, and the keys of a block without which it cannot look. -#}
  {%- set all = ['assignment_source', 'qualifying_event', 'entity_property_source', 'metric_source'] -%}
  {%- set groups = ['id_type_mapping', 'experiment_id_column', 'group_id_column'] -%}
  {{- return({
      'one_group_per_unit': {'kinds': all[:1], 'needs': groups},
      'sample_ratio': {'kinds': all[:1], 'needs': groups},
      'group_names_stable': {'kinds': all[:1], 'needs': groups[1:] + ['group_name_column']},
      'no_duplicate_exposures': {'kinds': all[:1], 'needs': groups},
      'unit_ids_filled': {'kinds': all, 'needs': ['id_type_mapping']},
      'timestamps_sane': {'kinds': all, 'needs': ['timestamp_column']},
      'fresh_enough': {'kinds': all, 'needs': ['timestamp_column']},
      'same_unit_space': {'kinds': all[1:], 'needs': ['id_type_mapping']},
      'one_row_per_unit': {'kinds': ['entity_property_source'], 'needs': ['id_type_mapping']},
      'one_to_one_ids': {'kinds': ['entity_property_source'], 'needs': ['id_type_mapping']},
  }) -}}
{% endmacro %}
