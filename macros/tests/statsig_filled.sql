{% macro statsig_filled(block, units, read, sums, options) %}
  {#- Rows without any unit ID; of an assignment source also those without experiment or group. -#}
  {%- set is_assignment = block.kind == 'assignment_source' -%}
  {%- set warn, error = options.get('warn_above'), options.get('error_above') -%}
  {%- set warn = 0 if warn is none else warn -%}
  {%- set error = (0.01 if is_assignment else 0.5) if error is none else error -%}
  {%- set rows = [] -%}
  {%- for key, what in {
      'empty': 'Rows without a unit ID (NULL, empty, or a word such as null): they are in no result.',
      'experiment_id_column': 'Rows without an experiment ID: they count in no experiment.',
      'group_id_column': 'Rows without a group ID: they count in no group.',
  }.items() if key in sums -%}
    {%- set found = 'statsig_' ~ key -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'unit_ids_filled', block, what,
        'case when ' ~ found ~ ' > ' ~ error ~ ' * statsig_n then 1 else 0 end',
        read ~ ' where ' ~ found ~ ' > ' ~ warn ~ ' * statsig_n',
        {
            'column_name': dbt_statsig.statsig_literal(
                units | map(attribute='column') | join(', ') if key == 'empty' else block[key]
            ),
            'unit_id': dbt_statsig.statsig_literal(
                units | map(attribute='name') | join(', ') if key == 'empty' else none
            ),
            'found': found, 'total': 'statsig_n', 'share': found ~ ' * 1.0 / nullif(statsig_n, 0)',
            'threshold': 'case when ' ~ found ~ ' > ' ~ error ~ ' * statsig_n then ' ~ error ~ ' else ' ~ warn ~ ' end',
        },
    )) -%}
  {%- endfor -%}
  {{- return(rows) -}}
{% endmacro %}
